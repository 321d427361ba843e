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

// An order's number may change: CAKE knows the sale by the first one.
foreach ( array( 'sent', 'dead' ) as $nth => $how ) {
	$id    = 52 + $nth;
	$order = $buy( $id, array( 'date_paid_gmt' => $paid_now, 'number' => (string) $id ) );
	$told( $id );
	$order->fields['number'] = "2026-$id";
	if ( 'dead' === $how ) {
		// Given up, and perhaps accepted all the same.
		foreach ( $order->fields['meta_data'] as &$meta ) {
			$meta['value'] = str_replace( '"state":"sent"', '"state":"dead"', $meta['value'] );
		}
		unset( $meta );
		do_action( 'woocommerce_order_action_cake_edge_send_again', $order );
		check( 'a sale that is sent again has its first number', array( array( 'uniqueId' => (string) $id, 'revenue' => '29.35' ) ), $told( $id ) );
	}
	$order->fields['refunds'] = array( array( 'id' => 60 + $id, 'total' => '-9.35' ) );
	do_action( 'woocommerce_order_refunded', $id, 60 + $id );
	check( "a refund goes to the first number: $how", array( array( 'uniqueId' => (string) $id, 'revenue' => '20.00' ) ), $told( $id ) );
	$order->fields['status'] = 'cancelled';
	do_action( 'woocommerce_order_status_changed', $id );
	check( "and so does the order's end: $how", array( array( 'uniqueId' => (string) $id, 'status' => 'returned' ) ), $told( $id ) );
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

// What is sent again is the order's state of that moment, never an older one after a newer one.
$accepted = array( 'code' => 202, 'body' => '{"id":"x"}', 'headers' => array() );
$refused  = array( 'code' => 400, 'body' => '{"error":{"code":"invalid_field","rule":"r","retryable":false}}', 'headers' => array() );
$part     = function ( int $id, string $total ) {
	return array( 'id' => $id, 'total' => $total );
};
$stories  = array(
	'a refund that was refused, and a newer one that was accepted' => array( array( 'refunds' => array( $part( 1, '-10.00' ) ) ), array( 'refunds' => array( $part( 1, '-10.00' ), $part( 2, '-5.00' ) ) ), array() ),
	'an end that was refused, and what counts again'              => array( array( 'status' => 'cancelled' ), array( 'status' => 'processing' ), array() ),
	'a refund that was refused, and its order that has ended'     => array( array( 'refunds' => array( $part( 1, '-10.00' ) ) ), array( 'status' => 'cancelled' ), array() ),
	'an edited total that was refused, and a newer one'           => array( array( 'total' => '20.00' ), array( 'total' => '15.00' ), array() ),
	'a refund that was refused, and nothing newer'                => array( array( 'refunds' => array( $part( 1, '-10.00' ) ) ), array(), array( array( 'revenue' => '19.35' ) ) ),
	'a refund that was refused, and was deleted'                  => array( array( 'refunds' => array( $part( 1, '-10.00' ) ) ), null, array() ),
);
$id = 60;
foreach ( $stories as $name => list( $first, $second, $expected ) ) {
	$next  = $accepted;
	$order = $buy( ++$id, array( 'date_paid_gmt' => $paid_now ) );
	$told( $id );
	$next          = $refused;
	$order->fields = $first + $order->fields;
	$order->save();
	check( "$name: the first is refused", array( 1, array( 'sent', 'refused' ) ), array( count( $told( $id ) ), $state( $id ) ) );
	$next = $accepted;
	if ( null === $second ) {
		$order->fields['refunds'] = array();
	} else {
		$order->fields = $second + $order->fields;
		$order->save();
		$told( $id );
	}
	do_action( 'woocommerce_order_action_cake_edge_send_again', $order );
	$again = array_map( function ( $fields ) use ( $id ) {
		check( "the same order: $id", (string) $id, $fields['uniqueId'] );
		return array_diff_key( $fields, array( 'uniqueId' => 1 ) );
	}, $told( $id ) );
	check( "$name: what is sent again", $expected, $again );
}

// An edited total, by whatever saves the order.
foreach ( array( 'total' => '20.00', 'subtotal' => '8.00', 'none' => null ) as $revenue => $expected ) {
	$cake_edge_stub['options']['cake_edge']['revenue'] = $revenue;
	$order = $buy( ++$id, array( 'date_paid_gmt' => $paid_now, 'line_items' => array( array( 'total' => '18.00' ) ) ) );
	$told( $id );
	$order->save();
	check( "nothing is edited, nothing is told: $revenue", array(), $told( $id ) );
	$order->fields['total']      = '20.00';
	$order->fields['line_items'] = array( array( 'total' => '8.00' ) );
	$order->save();
	check( "an edited order: $revenue", null === $expected ? array() : array( array( 'uniqueId' => (string) $id, 'revenue' => $expected ) ), $told( $id ) );
	$order->save();
	check( "is told once: $revenue", array(), $told( $id ) );
}
unset( $cake_edge_stub['options']['cake_edge']['revenue'] );
$order = $buy( ++$id, array( 'date_paid_gmt' => $paid_now ) );
$told( $id );
$order->fields = array( 'total' => '20.00', 'refunds' => array( $part( 1, '-5.00' ) ) ) + $order->fields;
$order->save();
check( 'an edited order of which a part is refunded', array( array( 'uniqueId' => (string) $id, 'revenue' => '15.00' ) ), $told( $id ) );

// Orders that are no sale of their own: neither they nor what becomes of them is told.
$renewal = array( array( 'key' => '_reqid', 'value' => 'abc-1' ), array( 'key' => '_subscription_renewal', 'value' => '7' ) );
foreach ( array( 'a vendor\'s part' => array( 'parent_id' => 8, 'created_via' => 'yith_wcmv_vendor_suborder' ), 'a renewal' => array( 'created_via' => 'subscription' ), 'a renewal by its meta' => array( 'meta_data' => $renewal ) ) as $name => $fields ) {
	$order = $buy( ++$id, $fields + array( 'date_paid_gmt' => $paid_now ) );
	foreach ( array( array(), array( 'refunds' => array( $part( 1, '-5.00' ) ) ), array( 'status' => 'refunded' ), array( 'status' => 'cancelled' ) ) as $more ) {
		$order->fields = $more + $order->fields;
		$order->save();
		check( "$name is not told: " . json_encode( $more ), array(), $told( $id ) );
	}
}
$cake_edge_now -= 31 * 86400;
