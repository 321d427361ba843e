<?php
/**
 * Plugin Name:          cake-edge for WooCommerce
 * Description:          Affiliate tracking for CAKE: keeps the click id of a landing, writes it into the order, and hands paid orders and refunds to your cake-edge forwarder.
 * Version:              0.1.0
 * Requires at least:    6.2
 * Requires PHP:         7.4
 * License:              MIT OR Apache-2.0
 * Text Domain:          cake-edge
 * WC requires at least: 7.1
 *
 * @package CakeEdge
 */

namespace CakeEdge;

defined( 'ABSPATH' ) || exit;

foreach ( array( 'click-id', 'touch', 'signature', 'capture', 'order-events', 'settings', 'visit', 'delivery' ) as $cake_edge_part ) {
	require_once __DIR__ . "/includes/class-$cake_edge_part.php";
}

add_action(
	'before_woocommerce_init',
	static function () {
		if ( class_exists( '\Automattic\WooCommerce\Utilities\FeaturesUtil' ) ) {
			\Automattic\WooCommerce\Utilities\FeaturesUtil::declare_compatibility( 'custom_order_tables', __FILE__, true );
			\Automattic\WooCommerce\Utilities\FeaturesUtil::declare_compatibility( 'cart_checkout_blocks', __FILE__, true );
		}
	}
);

// To the WP Consent API: this plugin asks it.
add_filter( 'wp_consent_api_registered_' . plugin_basename( __FILE__ ), '__return_true' );

// Early: a page cache asks at the end of the request, and other plugins redirect in `init`.
add_action( 'init', array( Visit::class, 'capture' ), 1 );

// The classic checkout, and the block checkout by the Store API.
add_action( 'woocommerce_checkout_create_order', array( Visit::class, 'mark' ) );
add_action( 'woocommerce_store_api_checkout_update_order_meta', array( Visit::class, 'mark_and_save' ) );

// Whatever changes an order's money: what has been queued is never queued again.
add_action( 'woocommerce_payment_complete', array( Delivery::class, 'consider' ) );
add_action( 'woocommerce_order_status_changed', array( Delivery::class, 'consider' ) );
add_action( 'woocommerce_order_refunded', array( Delivery::class, 'consider' ) );
// Also an edited total, in the back office and by the REST API.
add_action( 'woocommerce_update_order', array( Delivery::class, 'consider' ) );
// A refund that is deleted, in the back office and by the REST API.
add_action(
	'woocommerce_refund_deleted',
	static function ( $refund_id, $order_id ) {
		Delivery::consider( $order_id );
	},
	10,
	2
);
add_action(
	'woocommerce_rest_delete_shop_order_refund_object',
	static function ( $refund ) {
		Delivery::consider( $refund->get_parent_id() );
	}
);
add_action( Delivery::HOOK, array( Delivery::class, 'run' ) );

add_filter(
	'woocommerce_order_actions',
	static function ( $actions ) {
		$actions['cake_edge_send_again'] = __( 'Send to CAKE again', 'cake-edge' );
		return $actions;
	}
);
add_action( 'woocommerce_order_action_cake_edge_send_again', array( Delivery::class, 'send_again' ) );

add_action( 'admin_init', array( Settings::class, 'register' ) );
add_action( 'admin_menu', array( Settings::class, 'add_page' ) );
add_action( 'admin_post_cake_edge_check', array( Settings::class, 'check_connection' ) );
