<?php
/**
 * What the plugin leaves behind when it is deleted: nothing but the orders' own meta, which belongs to the orders.
 *
 * @package CakeEdge
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

delete_option( 'cake_edge' );
delete_transient( 'cake_edge_checked' );
wp_unschedule_hook( 'cake_edge_send' );
if ( function_exists( 'as_unschedule_all_actions' ) ) {
	as_unschedule_all_actions( 'cake_edge_send' );
}
