<?php
/**
 * A part of run.php: refunds that are late, deleted or unreadable; the currency, the meta and the settings that an order is
 * sent with.
 *
 * @package CakeEdge
 */

// phpcs:disable

namespace CakeEdge;

// What the order says of refunds, long after its payment and when they are deleted.
$told  = function ( int $id ) use ( &$sent, $run ) {
	$sent = array();
	$run();
	return array_map( function ( $request ) {
		$fields = json_decode( $request[1]['body'], true );
		return array_intersect_key( $fields, array( 'uniqueId' => 1, 'status' => 1, 'revenue' => 1 ) );
	}, $sent );
};
$paid_now = gmdate( 'Y-m-d H:i:s', $cake_edge_now );
$order    = $buy( 40, array( 'date_paid_gmt' => $paid_now ) );
check( 'a sale of today', array( array( 'uniqueId' => '40', 'revenue' => '29.35' ) ), $told( 40 ) );
$cake_edge_now           += 31 * 86400;
$order->fields['refunds'] = array( array( 'id' => 41, 'total' => '-9.35' ) );
do_action( 'woocommerce_order_refunded', 40, 41 );
check( 'a part that is refunded 31 days later is told', array( array( 'uniqueId' => '40', 'revenue' => '20.00' ) ), $told( 40 ) );
$order->fields['refunds'] = array();
do_action( 'woocommerce_refund_deleted', 41, 40 );
check( 'and is put back where its refund is deleted', array( array( 'uniqueId' => '40', 'revenue' => '29.35' ) ), $told( 40 ) );
$order->fields['refunds'] = array( array( 'id' => 42, 'total' => '-1.00' ) );
do_action( 'woocommerce_order_refunded', 40, 42 );
$told( 40 );
$order->fields['refunds'] = array();
do_action( 'woocommerce_rest_delete_shop_order_refund_object', new class() {
	public function get_parent_id() {
		return 40;
	}
} );
check( 'by the REST API as well', array( array( 'uniqueId' => '40', 'revenue' => '29.35' ) ), $told( 40 ) );
foreach ( array( '-1.12345', '-1,00', '' ) as $odd ) {
	$order->fields['refunds'] = array( array( 'id' => 43, 'total' => $odd ) );
	do_action( 'woocommerce_order_refunded', 40, 43 );
	check( "a refund that is no amount says nothing: $odd", array(), $told( 40 ) );
}

// Where a buyer's currency is not the shop's; see get_woocommerce_currency() in wordpress.php.
$paid_now = gmdate( 'Y-m-d H:i:s', $cake_edge_now );
foreach ( array( 'USD' => array( 'uniqueId' => '44', 'revenue' => '29.35' ), 'JPY' => array( 'uniqueId' => '45' ) ) as $currency => $expected ) {
	$id = (int) $expected['uniqueId'];
	$buy( $id, array( 'date_paid_gmt' => $paid_now, 'currency' => $currency ) );
	check( "the shop's own currency counts: an order in $currency", array( $expected ), $told( $id ) );
}

// What WordPress does to a value of the meta; see save_meta_data() in wordpress.php.
$cake_edge_stub['options']['cake_edge']['unique_id'] = 'number';
foreach ( array( 46 => '№46', 47 => 'Ä/47', 48 => 'A"48', 49 => 'A\\49' ) as $id => $number ) {
	$buy( $id, array( 'date_paid_gmt' => $paid_now, 'number' => $number ) );
	check( "an order's number is sent as it is: $number", array( array( 'uniqueId' => $number, 'revenue' => '29.35' ) ), $told( $id ) );
}

// What is mended before it is sent again.
$next  = array( 'code' => 400, 'body' => '{"error":{"code":"invalid_unique_id","rule":"r","retryable":false}}', 'headers' => array() );
$order = $buy( 50, array( 'date_paid_gmt' => $paid_now, 'number' => 'a@b.c', 'currency' => 'EUR' ) );
$told( 50 );
$order->fields['status'] = 'cancelled';
do_action( 'woocommerce_order_status_changed', 50 );
$told( 50 );
check( 'a sale and its end are refused', array( 'refused', 'refused' ), $state( 50 ) );
$next = array( 'code' => 202, 'body' => '{"id":"x"}', 'headers' => array() );
unset( $cake_edge_stub['options']['cake_edge']['unique_id'] );
$cake_edge_stub['options']['cake_edge']['currency'] = 'EUR';
do_action( 'woocommerce_order_action_cake_edge_send_again', $order );
check( 'both are sent again as the settings are by now', array( array( 'uniqueId' => '50', 'revenue' => '29.35' ), array( 'uniqueId' => '50', 'status' => 'returned' ) ), $told( 50 ) );
unset( $cake_edge_stub['options']['cake_edge']['currency'] );
$cake_edge_now -= 31 * 86400;
