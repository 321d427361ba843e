<?php
/**
 * A shop with the plugin, for `php -S 127.0.0.1:PORT examples/wordpress/tests/site.php`. CAKE_EDGE_SITE names the JSON file
 * that holds its options, orders and jobs. Beside its pages it has, by POST: `/checkout` and `/store-api`, which make an
 * order; `/orders/ID`, which merges fields and fires WooCommerce's hook; `/jobs`, which runs what is due. What it does
 * not emulate is said in wordpress.php.
 *
 * @package CakeEdge
 */

// phpcs:disable

require __DIR__ . '/wordpress.php';
require __DIR__ . '/action-scheduler.php';
require __DIR__ . '/clock.php';
$state                     = json_decode( file_get_contents( getenv( 'CAKE_EDGE_SITE' ) ), true );
$cake_edge_stub['options'] = $state['options'];
$cake_edge_stub['jobs']    = $state['jobs'] ?? array();
foreach ( $state['orders'] ?? array() as $fields ) {
	$order                               = new WC_Order( $fields );
	WC_Order::$all[ $order->get_id() ] = $order;
}
foreach ( $state['constants'] ?? array() as $name => $value ) {
	define( $name, $value );
}
// WordPress adds backslashes to what has come in.
$_SERVER = array_map( function ( $value ) {
	return is_string( $value ) ? addslashes( $value ) : $value;
}, $_SERVER );
require __DIR__ . '/../cake-edge/cake-edge.php';

$path  = parse_url( $_SERVER['REQUEST_URI'], PHP_URL_PATH );
$given = json_decode( file_get_contents( 'php://input' ), true );
$cake_edge_ahead = $given['ahead'] ?? 0;
do_action( 'init' );
$answer = array( 'noCache' => defined( 'DONOTCACHEPAGE' ) );
if ( 'POST' === $_SERVER['REQUEST_METHOD'] ) {
	if ( '/checkout' === $path || '/store-api' === $path ) {
		$order = new WC_Order( $given + array( 'status' => 'pending', 'currency' => 'USD', 'date_created_gmt' => gmdate( 'Y-m-d\TH:i:s' ) ) );
		if ( '/store-api' === $path ) {
			$order->save();
			do_action( 'woocommerce_store_api_checkout_update_order_meta', $order );
		} else {
			do_action( 'woocommerce_checkout_create_order', $order, array() );
			$order->save();
		}
	} elseif ( preg_match( '~^/orders/(\d+)$~', $path, $found ) ) {
		$order         = wc_get_order( (int) $found[1] );
		$order->fields = $given['fields'] + $order->fields;
		do_action( $given['hook'], $order->get_id() );
	} elseif ( '/jobs' === $path ) {
		$due                    = $cake_edge_stub['jobs'];
		$cake_edge_stub['jobs'] = array();
		foreach ( $due as $job ) {
			if ( $job['time'] <= CakeEdge\time() ) {
				do_action( $job['hook'], ...$job['args'] );
			} else {
				$cake_edge_stub['jobs'][] = $job;
			}
		}
	} elseif ( '/check' === $path ) {
		$answer['check'] = CakeEdge\Settings::connection();
	}
	$answer['orders'] = array_map( function ( $order ) {
		return $order->fields + array( 'notes' => $order->notes );
	}, array_values( WC_Order::$all ) );
	$answer['jobs']   = $state['jobs'] = $cake_edge_stub['jobs'];
	$state['orders']  = array_map( function ( $order ) {
		return $order->fields;
	}, array_values( WC_Order::$all ) );
	file_put_contents( getenv( 'CAKE_EDGE_SITE' ), json_encode( $state ) );
}
header( 'Content-Type: application/json' );
echo json_encode( $answer + array( 'wrong' => $cake_edge_stub['wrong'] ) );
