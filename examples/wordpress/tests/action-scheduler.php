<?php
/**
 * The two functions of Action Scheduler that the plugin calls. A shop without WooCommerce's copy of it has wp-cron alone.
 *
 * @package CakeEdge
 */

// phpcs:disable

function as_schedule_single_action( $time, $hook, $args, $group ) {
	cake_edge_stub_job( 'Action Scheduler', $time, $hook, $args );
}
function as_unschedule_all_actions( $hook ) {
	global $cake_edge_stub;
	$cake_edge_stub['jobs'] = array();
}
