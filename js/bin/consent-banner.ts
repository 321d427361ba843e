/** Consent banners: the script that finds a banner's button in a frame, and clicks it. */

/** The visitor's answer. */
export type Answer = "yes" | "no";

/** The buttons of the most used platforms, as CSS selectors. */
const KNOWN: Readonly<Record<Answer, string>> = {
  yes: [
    "#onetrust-accept-btn-handler",
    "#CybotCookiebotDialogBodyLevelButtonLevelOptinAllowAll",
    "#didomi-notice-agree-button",
    "#truste-consent-button",
    "#shopify-pc__banner__btn-accept",
    "#axeptio_btn_acceptAll",
    "#tarteaucitronPersonalize2",
    "[data-testid=uc-accept-all-button]",
    ".cmplz-accept",
    ".cky-btn-accept",
    ".klaro .cm-btn-success",
    ".osano-cm-accept-all",
    ".iubenda-cs-accept-btn",
    ".cc-allow",
    "[data-cc=accept-all]",
    "#cm [data-role=all]",
  ].join(),
  no: [
    "#onetrust-reject-all-handler",
    "#CybotCookiebotDialogBodyButtonDecline",
    "#didomi-notice-disagree-button",
    "#truste-consent-required",
    "#shopify-pc__banner__btn-decline",
    "#axeptio_btn_dismiss",
    "#tarteaucitronAllDenied2",
    "[data-testid=uc-deny-all-button]",
    ".cmplz-deny",
    ".cky-btn-reject",
    ".klaro .cn-decline",
    ".klaro .cm-btn-danger",
    ".osano-cm-denyAll",
    ".iubenda-cs-reject-btn",
    ".cc-deny",
    "[data-cc=reject-all]",
    "#cm [data-role=necessary]",
  ].join(),
};

/** A button's words for no. They are searched first, because "Continue without accepting" contains a yes. */
const NO =
  /^(no|nein|non|nej|nie)\b|reject|declin|deny|refus|disagree|opt.?out|(only|strictly) (necessary|essential|required)|(necessary|essential|required) (cookies )?only|without accept|ablehn|verweiger|nur (notwendig|erforderlich|essenziell|technisch)|sans accepter|rechaz|rifiut|rejeit|recus|weiger|alleen noodzakelijk|avvis|avböj|neka|afvis|hylkää|odrzu|odmítn|elutasít|respinge|拒否|拒绝|거부/i;
const YES =
  /^(yes|ja|oui|sí|si|sim|ok|okay)\b|accept|agree|allow|consent|got it|understood|akzept|annehm|zulassen|erlaub|zustimm|stimme zu|einverstanden|d.accord|acept|permit|accett|aceit|akkoord|toestaan|godkänn|godta|hyväksy|akcept|zgadzam|přijm|souhlas|elfogad|同意|許可|동의/i;
/** A banner's words, or the name of an element around it. */
const BANNER =
  /cookie|consent|privacy|tracking|gdpr|ccpa|dsgvo|datenschutz|einwilligung|confidentialit|vie privée|privacidad|personvern|integritet|tietosuoj|soukrom|prywatno|同意|隐私|개인정보/i;

/**
 * The script that looks for a button and, with `isClick`, clicks it; its value is `true` if there is one. A selector of
 * the user replaces the known ones.
 */
export function buttonScript(answer: Answer, selector: string | undefined, isClick: boolean): string {
  return `(() => {
    const roots = [];
    const collect = (root) => {
      roots.push(root);
      for (const element of root.querySelectorAll("*")) if (element.shadowRoot) collect(element.shadowRoot);
    };
    collect(document);
    const all = (selector) => roots.flatMap((root) => [...root.querySelectorAll(selector)]);
    const isVisible = (element) => {
      const { width, height } = element.getBoundingClientRect();
      const { visibility, display, opacity } = getComputedStyle(element);
      return width > 0 && height > 0 && visibility !== "hidden" && display !== "none" && opacity !== "0";
    };
    const isOfBanner = (element) => {
      let at = element;
      for (let level = 0; at && at !== document.body && level < 8; level += 1) {
        const text = at.textContent ?? "";
        const names = [at.id, at.className, at.getAttribute?.("aria-label")].join(" ");
        if (text.length < 6000 && ${BANNER}.test(text + names)) return true;
        at = at.parentElement ?? at.getRootNode().host;
      }
      return false;
    };
    const says = (element) => (element.textContent || element.value || element.getAttribute("aria-label") || "").trim();
    const fits = (text) => text.length > 0 && text.length < 50 &&
      ${answer === "no" ? `${NO}.test(text)` : `!${NO}.test(text) && ${YES}.test(text)`};
    const given = ${JSON.stringify(selector ?? "")};
    const found = given
      ? all(given).find(isVisible)
      : all(${JSON.stringify(KNOWN[answer])}).find(isVisible) ??
        all("button, [role=button], input[type=button], input[type=submit], a").find((element) =>
          isVisible(element) && fits(says(element)) && isOfBanner(element));
    if (found && ${isClick}) found.click();
    return found !== undefined;
  })()`;
}
