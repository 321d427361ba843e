//! Columns that make a file ambiguous, and those that it must have.

use super::{Names, Role};

impl Names {
    /// Why two columns of one role, which say the same by their names, are ambiguous.
    #[cfg_attr(small_cold, optimize(size))]
    pub(in crate::report) fn why_ambiguous(&self, role: u8, one: &[u8], other: &[u8]) -> String {
        let [one, other] = [one, other].map(String::from_utf8_lossy);
        let name = super::ROLE_NAMES.get(usize::from(role)).copied();
        let name = name.unwrap_or_default();
        format!(
            "its {one} and its {other} may both be the {name}: {}",
            self.remedy(&format!("`columns.{name}`"))
        )
    }

    /// Why a CSV file with these roles is not Shopify's export of orders. A file of an app or of Shopify's analytics has
    /// some of its columns: without the status, orders that were not paid would be owed.
    #[cfg_attr(small_cold, optimize(size))]
    pub(in crate::report) fn why_other_export(
        &self,
        has: impl Fn(Role) -> bool,
    ) -> Option<&'static str> {
        if !self.is_shopify {
            return None;
        }
        let has = |role: Role| has(role) || self.is_declared(role as u8);
        if !has(Role::Status) {
            return Some(
                "it lacks Financial Status: declare `columns.status`, or choose the dialect simple",
            );
        }
        if !has(Role::Revenue) && !has(Role::Remaining) {
            return Some("it lacks Total: declare `columns.revenue`, or choose the dialect simple");
        }
        let is_parent = has(Role::Parent) && !self.is_declared(Role::Parent as u8);
        // An order's id under this name is a refund's order.
        (is_parent && !has(Role::UniqueId))
            .then_some("it has Order ID, and no Id: declare one as `columns.uniqueId`")
    }
}
