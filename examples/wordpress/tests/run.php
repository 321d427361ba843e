<?php
/**
 * The plugin's own tests: `php examples/wordpress/tests/run.php`. The rules are held to the vectors in tests/vectors,
 * which cake-edge's core reads as well. Ends with the counts, and with 1 where a test has failed.
 *
 * @package CakeEdge
 */

// phpcs:disable

namespace CakeEdge;

require __DIR__ . '/wordpress.php';

/** What the plugin has sent of headers: the command line has no response. */
$cake_edge_sent = array();
function header( $line, $replace = true ) {
	global $cake_edge_sent;
	$cake_edge_sent[] = $line;
}
function header_remove( $name ) {
	global $cake_edge_sent;
	$cake_edge_sent = array_values( array_filter( $cake_edge_sent, function ( $line ) use ( $name ) {
		return 0 !== stripos( $line, "$name:" );
	} ) );
}
function headers_sent() {
	return false;
}

// A fixed time.
$cake_edge_now = 1781879400;
function time() {
	global $cake_edge_now;
	return $cake_edge_now;
}

require __DIR__ . '/../cake-edge/cake-edge.php';

// A notice or a warning is a failure.
set_error_handler( function ( $kind, $text, $file, $line ) {
	throw new \ErrorException( $text, 0, $kind, $file, $line );
} );

$passed   = 0;
$failures = array();
function check( string $name, $expected, $found ): void {
	global $passed, $failures;
	if ( $expected === $found ) {
		++$passed;
		return;
	}
	$failures[] = "FAILED $name\n  expected " . json_encode( $expected ) . "\n  found    " . json_encode( $found ) . "\n";
}
function vectors( string $name ): array {
	return json_decode( file_get_contents( __DIR__ . "/../../../tests/vectors/$name.json" ), true );
}
function refusal( callable $call ): string {
	try {
		$call();
	} catch ( \InvalidArgumentException $error ) {
		return explode( ':', $error->getMessage() )[0];
	}
	return '';
}

// Which parameter is the click id.
foreach ( vectors( 'click_ids' )['queries'] as $each ) {
	$found = Click_Id::find( 'https://shop.example/' . $each['query'], $each['parameters'] ?? Click_Id::DEFAULT_PARAMETERS );
	check( "click id: {$each['name']}", array( $each['clickId'] ?? null, $each['parameter'] ?? null ), array( $found['id'] ?? null, $found['parameter'] ?? null ) );
}
$words = vectors( 'missing_values' );
foreach ( $words['missing'] as $text ) {
	check( "no click id: $text", false, Click_Id::is_valid( $text ) );
	check( "no click id: $text, in capitals", false, Click_Id::is_valid( strtoupper( $text ) ) );
}
foreach ( $words['ids'] as $text ) {
	check( "an id: $text", Click_Id::has_form( $text ), Click_Id::is_valid( $text ) );
}

// What a request does to the cookie.
$capture = vectors( 'capture' );
foreach ( $capture['decide'] as $each ) {
	$options = ( $each['options'] ?? array() ) + array( 'secrets' => $capture['secrets'] );
	$found   = Capture::decide( $each['method'] ?? 'GET', $each['url'], $each['headers'], intdiv( $each['at'], 1000 ), $options );
	check( "capture: {$each['name']}", array( $each['want']['clickId'] ?? '', (array) ( $each['want']['setCookie'] ?? array() ), $each['want']['reason'] ?? '' ), array_values( $found ) );
}
foreach ( $capture['refuse'] as $each ) {
	$options = ( $each['options'] ?? array() ) + array( 'secrets' => $each['secrets'] ?? $capture['secrets'] );
	$code    = refusal( function () use ( $each, $options ) {
		Capture::decide( 'GET', $each['url'], array( 'sec-fetch-mode' => 'navigate' ), 1781879400, $options );
	} );
	check( "capture refuses: {$each['name']}", $each['code'], $code );
}

// How a request to the forwarder is signed.
foreach ( vectors( 'signatures' )['signed'] as $each ) {
	$headers = Signature::headers( $each['id'], $each['timestamp'], $each['body'], $each['secret'] );
	check( "signature: {$each['name']}", $each['signature'], $headers['webhook-signature'] );
}
foreach ( vectors( 'signatures' )['weak'] as $secret ) {
	check( "no signing secret: $secret", null, Signature::key_of( $secret ) );
}

// What an order says, as the forwarder's own mapping of WooCommerce's webhooks has it.
$webhooks  = vectors( 'shop_webhooks' );
$has_click = function ( array $order ) {
	return array() !== array_filter( array_column( $order['meta_data'], 'value' ) );
};
$orders    = 0;
foreach ( $webhooks['webhooks'] as $each ) {
	$order = json_decode( $each['body'] ?? '', true );
	if ( 'woocommerce' !== $each['shop'] || ! is_array( $order ) || 0 !== strpos( $each['topic'], 'order.' ) ) {
		continue;
	}
	// The plugin gets WooCommerce's own objects: lists in another dress are a webhook's text alone.
	$lists = array_intersect_key( $order, array_flip( array( 'meta_data', 'line_items', 'refunds', 'coupon_lines' ) ) );
	foreach ( $lists as $list ) {
		if ( ! is_array( $list ) || array_values( $list ) !== $list || array_filter( $list, 'is_array' ) !== $list ) {
			continue 2;
		}
	}
	$order['meta_data'] = $order['meta_data'] ?? array();
	// The plugin writes the click's meta itself, and reads no other name.
	if ( array_diff( preg_grep( '/^_?(reqid|click_?id|ckm_request_id)$/i', array_column( $order['meta_data'], 'key' ) ), array( '_reqid' ) ) ) {
		continue;
	}
	++$orders;
	$settings           = array( 'offer_id' => $each['settings']['offerId'], 'unique_id' => $each['settings']['uniqueId'] ?? 'id', 'id_prefix' => $each['settings']['idPrefix'] ?? '' ) + $each['settings'];
	$expected           = array();
	if ( isset( $each['verdict']['sale'] ) ) {
		$expected[] = $each['verdict']['sale']['conversion'];
	}
	// Nothing of an order without a click.
	if ( $has_click( $order ) && isset( $each['corrects'] ) ) {
		$expected[] = $each['corrects'];
	}
	$found = array_column( Order_Events::of( new \WC_Order( $order ), $settings, $webhooks['nowS'] ), 'fields' );
	$plain = function ( $fields ) {
		// The plugin's ids are its own.
		unset( $fields['correctionId'] );
		ksort( $fields );
		return $fields;
	};
	check( "order: {$each['name']}", array_map( $plain, $expected ), array_map( $plain, $found ) );
}
check( 'the vectors have orders', true, $orders > 20 );
$order = new \WC_Order( array( 'id' => 7, 'status' => 'processing', 'currency' => 'USD', 'total' => '29.345', 'date_paid_gmt' => '2026-06-19T03:20:00', 'meta_data' => array( array( 'key' => '_reqid', 'value' => 'abc-1' ) ) ) );
$dated = array( 'offer_id' => 1, 'currency' => 'usd', 'time_zone' => 'America/New_York' );
check( 'a sale is dated in the account\'s zone', array( '29.345', '2026-06-18 23:20:00' ), array_values( array_intersect_key( Order_Events::of( $order, $dated, 1781879400 )[0]['fields'], array( 'revenue' => 1, 'conversionDate' => 1 ) ) ) );
$zone_date = function ( array $dates ) use ( $order, $dated ) {
	$event = Order_Events::of( new \WC_Order( $dates + array( 'date_paid_gmt' => '' ) + $order->fields ), $dated, 1781879400 )[0] ?? array( 'fields' => array( 'conversionDate' => 'no sale' ) );
	return $event['fields']['conversionDate'] ?? null;
};
foreach ( array(
	'a date of payment in the future is not used'           => array( array( 'date_paid_gmt' => '2026-06-19T22:30:00' ), null ),
	'be it a second ahead'                                  => array( array( 'date_paid_gmt' => '2026-06-19T14:30:01' ), null ),
	'nor one of 1970'                                       => array( array( 'date_paid_gmt' => '1970-01-01T00:00:00' ), null ),
	'the date of the order counts instead'                  => array( array( 'date_paid_gmt' => '1970-01-01T00:00:00', 'date_created_gmt' => '2026-06-19T14:29:00' ), '2026-06-19 10:29:00' ),
	'unless that is none either'                            => array( array( 'date_created_gmt' => '1970-01-01T00:00:00' ), null ),
) as $name => list( $dates, $expected ) ) {
	check( "$name", $expected, $zone_date( $dates ) );
}
check( 'a word for a missing value in the order\'s meta is no click', array(), Order_Events::of( new \WC_Order( array( 'meta_data' => array( array( 'key' => '_reqid', 'value' => 'undefined' ) ) ) + $order->fields ), $dated, 1781879400 ) );

// The plugin in a request.
global $cake_edge_stub;
$cookie_of = function () {
	global $cake_edge_sent;
	return array_values( preg_grep( '/^Set-Cookie:/', $cake_edge_sent ) );
};
$visit     = function ( array $server ) {
	global $cake_edge_sent;
	$cake_edge_sent = array();
	$_SERVER        = array_map( 'addslashes', $server + array( 'REQUEST_METHOD' => 'GET', 'HTTPS' => 'on', 'HTTP_HOST' => 'shop.example', 'REQUEST_URI' => '/', 'HTTP_SEC_FETCH_MODE' => 'navigate', 'HTTP_SEC_FETCH_DEST' => 'document' ) );
	do_action( 'init' );
};
$visit( array( 'REQUEST_URI' => '/shop/' ) );
check( 'without a click nothing is sent, and caches work', array(), $cake_edge_sent );
$visit( array( 'REQUEST_URI' => '/landing?reqid=abc-1&s1=it\'s' ) );
check( 'a landing sets one cookie', 1, count( $cookie_of() ) );
check( 'of the host alone', 1, preg_match( '/^Set-Cookie: __Host-cake_click=1!\w+\*\w+!reqid!abc-1!it%27s\.\w+\.[\w-]{43}; Path=\/; Max-Age=2592000; SameSite=Lax; Secure; HttpOnly$/', $cookie_of()[0] ) );
check( 'no cache keeps it', array( 'Cache-Control: private, no-store' ), array_slice( array_values( preg_grep( '/^Cache-Control:/', $cake_edge_sent ) ), -1 ) );
check( 'nor does a plugin', array( true, true ), array( DONOTCACHEPAGE, LSCACHE_NO_CACHE ) );
preg_match( '/: ([^;]+)/', $cookie_of()[0], $found );
$cookie = $found[1];
$mark   = function ( array $server ) {
	$order   = new \WC_Order( array( 'id' => 9 ) );
	$_SERVER = array_map( 'addslashes', $server + array( 'REQUEST_METHOD' => 'POST', 'HTTPS' => 'on', 'HTTP_HOST' => 'shop.example', 'REQUEST_URI' => '/?wc-ajax=checkout' ) );
	do_action( 'woocommerce_checkout_create_order', $order );
	return $order->get_meta( '_reqid' );
};
check( 'the checkout writes the click id into the order', 'abc-1', $mark( array( 'HTTP_COOKIE' => "a=1; $cookie" ) ) );
check( 'a visitor without a click has none', '', $mark( array( 'HTTP_COOKIE' => 'a=1' ) ) );
check( 'a changed cookie is none', '', $mark( array( 'HTTP_COOKIE' => str_replace( 'abc-1', 'abc-2', $cookie ) ) ) );
check( 'nor is one with Global Privacy Control', '', $mark( array( 'HTTP_COOKIE' => $cookie, 'HTTP_SEC_GPC' => '1' ) ) );
$page = 'cake_click=1!tgvuy0*tgvuy0!reqid!page-1';
check( 'the page\'s own cookie serves where there is no other', 'page-1', $mark( array( 'HTTP_COOKIE' => $page ) ) );
check( 'the signed one goes before it', 'abc-1', $mark( array( 'HTTP_COOKIE' => "$page; $cookie" ) ) );
check( 'and not with Global Privacy Control', '', $mark( array( 'HTTP_COOKIE' => $page, 'HTTP_SEC_GPC' => '1' ) ) );
$order   = new \WC_Order( array( 'id' => 10 ) );
$_SERVER = array( 'REQUEST_METHOD' => 'POST', 'HTTPS' => 'on', 'HTTP_HOST' => 'shop.example', 'REQUEST_URI' => '/wp-json/wc/store/v1/checkout', 'HTTP_COOKIE' => $cookie );
do_action( 'woocommerce_store_api_checkout_update_order_meta', $order );
check( 'the block checkout has it saved', 'abc-1', wc_get_order( 10 )->get_meta( '_reqid' ) );
$_SERVER['HTTP_SEC_GPC'] = '1';
do_action( 'woocommerce_store_api_checkout_update_order_meta', $order );
check( 'and has it no more when the visitor refuses before the order is placed', '', wc_get_order( 10 )->get_meta( '_reqid' ) );
$visit( array( 'HTTP_COOKIE' => "$cookie; $page", 'HTTP_SEC_GPC' => '1' ) );
check( 'Global Privacy Control deletes what was kept, in a page that no cache keeps', 1 + 2, count( preg_grep( '/Max-Age=0/', $cookie_of() ) ) );
$cake_edge_stub['hooks']['cake_edge_capture'][] = function ( $options ) {
	return array( 'consent' => 'DENIED', 'ignoreGlobalPrivacyControl' => true ) + $options;
};
$visit( array( 'REQUEST_URI' => '/landing?reqid=abc-3', 'HTTP_COOKIE' => $cookie ) );
check( 'the filter says what the visitor wants', 1, count( preg_grep( '/__Host-cake_click=;.*Max-Age=0/', $cookie_of() ) ) );
check( 'and the order has no click then', '', $mark( array( 'HTTP_COOKIE' => "$cookie; $page" ) ) );
$cake_edge_stub['hooks']['cake_edge_capture'] = array( function ( $options ) {
	return array( 'consent' => 'maybe' ) + $options;
} );
$visit( array( 'REQUEST_URI' => '/landing?reqid=abc-3' ) );
check( 'a word that is none stops no page, and is told', array( 0, array( 'invalid_setting: consent' ) ), array( count( $cookie_of() ), $cake_edge_stub['wrong'] ) );
foreach ( array( array( 'parameters' => 'reqid' ), array( 'secrets' => array() ), array( 'secrets' => 'short' ), array( 'windowDays' => 'x' ), array( 'touch' => null ), array( 'domain' => array() ), 'no options' ) as $odd ) {
	$cake_edge_stub['wrong']                      = array();
	$cake_edge_stub['hooks']['cake_edge_capture'] = array( function ( $options ) use ( $odd ) {
		return is_array( $odd ) ? $odd + $options : $odd;
	} );
	$visit( array( 'REQUEST_URI' => '/landing?reqid=abc-3' ) );
	check( 'nor does ' . json_encode( $odd ), array( 0, 1 ), array( count( $cookie_of() ), count( $cake_edge_stub['wrong'] ) ) );
}
$cake_edge_stub['hooks']['cake_edge_capture'] = array();

require __DIR__ . '/wp-consent-api.php';
check( 'the WP Consent API knows the plugin', true, apply_filters( 'wp_consent_api_registered_cake-edge/cake-edge.php', false ) );
$said = function ( string $cookies ) use ( $visit, $cookie_of, $cookie ) {
	$visit( array( 'REQUEST_URI' => '/landing?reqid=abc-4', 'HTTP_COOKIE' => "$cookie$cookies" ) );
	return implode( ' ', preg_replace( '/^Set-Cookie: (\S+?)=(1?).*/', '$1=$2', $cookie_of() ) );
};
check( 'who has said nothing is not remembered', '', $said( '' ) );
check( 'who agrees is', '__Host-cake_click=1', $said( '; wp_consent_marketing=allow' ) );
check( 'who refuses is forgotten', '__Host-cake_click=', $said( '; wp_consent_marketing=deny' ) );

// What the forwarder's answers mean.
$answer = function ( int $status, $body, array $headers = array() ) {
	return Delivery::read( array( 'code' => $status, 'body' => is_string( $body ) ? $body : json_encode( $body ), 'headers' => $headers ) )['state'];
};
foreach ( vectors( 'final_codes' )['final'] as $each ) {
	$error = array( 'code' => $each['code'], 'rule' => 'a rule', 'retryable' => false );
	check( "final: {$each['code']}", 'refused', $answer( $each['status'], array( 'error' => $error ) ) );
	foreach ( array( 200, 302, 401, 403, 404, 405, 415, 429, 500, 501, 503 ) as $status ) {
		check( "not final: {$each['code']} with $status", 'waiting', $answer( $status, array( 'error' => $error ) ) );
	}
}
check( 'accepted', 'sent', $answer( 202, array( 'id' => 'x' ) ) );
check( 'a firewall\'s page ends nothing', 'waiting', $answer( 400, '<h1>Bad request</h1>' ) );
check( 'nor does another program\'s JSON', 'waiting', $answer( 400, array( 'error' => 'bad request' ) ) );
check( 'nor does a 202 of another program', 'waiting', $answer( 202, '' ) );
check( 'nor does a network failure', 'waiting', Delivery::read( new \WP_Error() )['state'] );

// The queue.
define( 'CAKE_EDGE_SIGNING_SECRET', 'whsec_CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=' );
$sent  = array();
$next  = array( 'code' => 202, 'body' => '{"id":"x"}', 'headers' => array() );
$buy   = function ( int $id, array $fields = array() ) {
	$order                = new \WC_Order( $fields + array( 'id' => $id, 'status' => 'processing', 'currency' => 'USD', 'total' => '29.35', 'date_paid_gmt' => '2026-06-19T14:20:00', 'meta_data' => array( array( 'key' => '_reqid', 'value' => 'abc-1' ) ) ) );
	\WC_Order::$all[ $id ] = $order;
	do_action( 'woocommerce_payment_complete', $id );
	do_action( 'woocommerce_order_status_changed', $id );
	return $order;
};
$run   = function () {
	global $cake_edge_stub, $cake_edge_now;
	foreach ( $cake_edge_stub['jobs'] as $index => $job ) {
		if ( $job['time'] <= $cake_edge_now ) {
			unset( $cake_edge_stub['jobs'][ $index ] );
			do_action( $job['hook'], ...$job['args'] );
		}
	}
};
$state = function ( int $id ) {
	return array_column( Delivery::queue_of( wc_get_order( $id ) ), 'state' );
};
$cake_edge_stub['http'] = function ( $url, $args ) use ( &$sent, &$next ) {
	$sent[] = array( $url, $args );
	return $next;
};
$buy( 20 );
check( 'nothing is queued before the settings are complete', array(), $cake_edge_stub['jobs'] );
$cake_edge_stub['options']['cake_edge'] = array( 'endpoint' => 'https://shop.example/cake', 'offer_id' => 12345 );
$buy( 21 );
check( 'without Action Scheduler wp-cron runs the job, once for both hooks', array( 'wp-cron' ), array_column( $cake_edge_stub['jobs'], 'by' ) );
require __DIR__ . '/action-scheduler.php';
$buy( 22 );
check( 'with it Action Scheduler does', array( 'wp-cron', 'Action Scheduler' ), array_column( $cake_edge_stub['jobs'], 'by' ) );
check( 'the buyer\'s request sends nothing', array(), $sent );
$run();
check( 'the jobs send', array( 'https://shop.example/cake/conversions', 'https://shop.example/cake/conversions' ), array_column( $sent, 0 ) );
check( 'a sale', '{"clickId":"abc-1","offerId":12345,"uniqueId":"22","revenue":"29.35"}', $sent[1][1]['body'] );
check( 'once', array( array( 'sent' ), array( 'sent' ) ), array( $state( 21 ), $state( 22 ) ) );
do_action( 'woocommerce_order_status_changed', 22 );
$sent           = array();
$cake_edge_now += 86400;
$run();
check( 'and never again, whatever job is left', array( array(), array() ), array( $sent, $cake_edge_stub['jobs'] ) );
check( 'no order of no click is queued', array(), Delivery::queue_of( $buy( 23, array( 'meta_data' => array() ) ) ) );
check( 'nor an order that was cancelled before it was paid', array(), Delivery::queue_of( $buy( 24, array( 'status' => 'cancelled', 'date_paid_gmt' => null ) ) ) );

// What is taken back and counts again, as often as the shop says so.
$cake_edge_stub['options']['cake_edge']['id_prefix'] = 'b-';
$order = $buy( 26 );
foreach ( array( array( 'cancelled', array() ), array( 'processing', array() ), array( 'processing', array( array( 'id' => 27, 'total' => '-9.35' ) ) ), array( 'refunded', array() ), array( 'completed', array() ), array( 'completed', array() ), array( 'cancelled', array() ) ) as list( $status, $refunds ) ) {
	$order->fields['status']  = $status;
	$order->fields['refunds'] = $refunds;
	do_action( 'woocommerce_order_status_changed', 26 );
}
$told = array();
foreach ( Delivery::queue_of( $order ) as $id => $entry ) {
	$fields = json_decode( $entry['body'], true );
	check( "under the shop's prefix: $id", 'b-26', $fields['uniqueId'] );
	$told[ $id ] = array_intersect_key( $fields, array( 'status' => 1, 'revenue' => 1 ) );
}
check(
	'an order that counts again is put back, and one that ends again is taken back again',
	array(
		'woocommerce-sale-b-26'        => array( 'revenue' => '29.35' ),
		'woocommerce-cancelled-b-26'   => array( 'status' => 'returned' ),
		'woocommerce-restored-b-26'    => array( 'status' => 'approved' ),
		'woocommerce-refund-b-26-27'   => array( 'revenue' => '20.00' ),
		'woocommerce-refunded-b-26'    => array( 'status' => 'returned' ),
		'woocommerce-restored-b-26-4'  => array( 'status' => 'approved', 'revenue' => '29.35' ),
		'woocommerce-cancelled-b-26-5' => array( 'status' => 'returned' ),
	),
	$told
);
unset( $cake_edge_stub['options']['cake_edge']['id_prefix'] );
$run();

require __DIR__ . '/refunds.php';

$next  = array( 'code' => 503, 'body' => '{"error":{"code":"outbox_full","rule":"r","retryable":true}}', 'headers' => array( 'retry-after' => '600' ) );
$sent  = array();
$order = $buy( 25 );
$run();
$order->fields['refunds'] = array( array( 'id' => 26, 'total' => '-9.35' ) );
do_action( 'woocommerce_order_refunded', 25 );
$run();
check( 'what cannot be taken waits, and a refund waits behind its sale', array( array( 'waiting', 'waiting' ), 1 ), array( $state( 25 ), count( $sent ) ) );
$first          = $sent[0][1];
$next           = array( 'code' => 202, 'body' => '{"id":"x"}', 'headers' => array() );
$cake_edge_now += 599;
$sent           = array();
$run();
check( 'Retry-After is followed', array( array(), true ), array( $sent, array() !== $cake_edge_stub['jobs'] ) );
$cake_edge_now += 1;
$run();
check( 'then both are sent, in their order', array( 'https://shop.example/cake/conversions', 'https://shop.example/cake/corrections' ), array_column( $sent, 0 ) );
check( 'a repetition has the same id and body, and a new time', array( true, true, false ), array( $first['body'] === $sent[0][1]['body'], $first['headers']['webhook-id'] === $sent[0][1]['headers']['webhook-id'], $first['headers']['webhook-timestamp'] === $sent[0][1]['headers']['webhook-timestamp'] ) );
check( 'a refund tells what remains', '{"correctionId":"woocommerce-refund-25-26","offerId":12345,"uniqueId":"25","revenue":"20.00"}', $sent[1][1]['body'] );

$next = new \WP_Error();
$buy( 30 );
$sent = array();
for ( $day = 0; $day < 12; $day++ ) {
	$run();
	$cake_edge_now += 86400;
}
check( 'after nine attempts it is given up, and the order says so', array( 9, array( 'dead' ), 1 ), array( count( $sent ), $state( 30 ), count( wc_get_order( 30 )->notes ) ) );
$next = array( 'code' => 409, 'body' => '{"error":{"code":"conversion_conflict","rule":"r","retryable":false}}', 'headers' => array() );
do_action( 'woocommerce_order_action_cake_edge_send_again', wc_get_order( 30 ) );
$run();
check( 'until somebody sends it again; a no ends it', array( 'refused' ), $state( 30 ) );
check( 'with its code in the order\'s notes', 1, preg_match( '/woocommerce-sale-30 is refused .*conversion_conflict/', end( wc_get_order( 30 )->notes ) ) );

// A job that is killed in its request.
$cake_edge_stub['jobs'] = array();
$cake_edge_stub['http'] = function () {
	throw new \RuntimeException( 'killed' );
};
$buy( 31 );
try {
	$run();
} catch ( \RuntimeException $killed ) {
	check( 'a job that is killed leaves the next one behind', array( array( 'waiting' ), 1 ), array( $state( 31 ), count( $cake_edge_stub['jobs'] ) ) );
}
$cake_edge_stub['http'] = function ( $url, $args ) use ( &$sent, &$next ) {
	$sent[] = array( $url, $args );
	return $next;
};
$cake_edge_stub['wrong']                             = array();
$cake_edge_stub['options']['cake_edge']['time_zone'] = 'Mars/Phobos';
$buy( 32 );
check( 'a payment goes on when its order cannot be queued, and the log says why', 2, count( preg_grep( '/^Order 32 is not queued/', $cake_edge_stub['wrong'] ) ) );

// The settings.
$secret = 'whsec_' . base64_encode( str_repeat( 'k', 32 ) );
$cake_edge_stub['options']['cake_edge'] = array( 'signing_secret' => $secret, 'endpoint' => 'https://shop.example/cake', 'offer_id' => 1 );
Settings::register();
$clean = $cake_edge_stub['settings']['cake_edge']['sanitize_callback'];
$good  = array( 'endpoint' => ' https://shop.example/cake/ ', 'signing_secret' => '', 'offer_id' => '12345', 'currency' => 'eur', 'revenue' => 'subtotal', 'unique_id' => 'number', 'id_prefix' => ' b- ', 'recurring' => '1', 'time_zone' => 'America/New_York', 'consent' => 'pending' );
$kept  = array( 'endpoint' => 'https://shop.example/cake', 'signing_secret' => $secret, 'offer_id' => 12345, 'currency' => 'EUR', 'revenue' => 'subtotal', 'unique_id' => 'number', 'id_prefix' => 'b-', 'recurring' => true, 'time_zone' => 'America/New_York', 'consent' => 'pending' );
check( 'what is fit is kept, and an empty secret keeps the old one', $kept, $clean( $good ) );
$cake_edge_stub['errors'] = array();
$bad                      = $clean( array( 'endpoint' => 'http://shop.example/cake', 'signing_secret' => 'short', 'offer_id' => array( 1 ), 'currency' => '<b>', 'revenue' => 'all', 'unique_id' => 'x', 'id_prefix' => 'b-9', 'time_zone' => 'Mars', 'consent' => array() ) );
check( 'what is not is told and not taken', array( 'cake_edge_endpoint', 'cake_edge_id_prefix', 'cake_edge_time_zone', 'cake_edge_signing_secret' ), $cake_edge_stub['errors'] );
check( 'the old values stay', array( 'https://shop.example/cake', $secret, 0, 'total', 'id', 'granted' ), array( $bad['endpoint'], $bad['signing_secret'], $bad['offer_id'], $bad['revenue'], $bad['unique_id'], $bad['consent'] ) );
check( 'a form that is no array changes nothing but to the defaults', array( 'signing_secret' => $secret ) + Settings::DEFAULTS, array( 'signing_secret' => $clean( 'x' )['signing_secret'] ) + $clean( 'x' ) );
$print = function () {
	ob_start();
	try {
		Settings::print_page();
		return ob_get_contents();
	} catch ( \RuntimeException $error ) {
		return $error->getMessage();
	} finally {
		ob_end_clean();
	}
};
$cake_edge_stub['options']['cake_edge']['endpoint'] = 'https://shop.example/"><script>alert(1)</script>';
$cake_edge_stub['transients']['cake_edge_checked']  = '<i>PASS</i>';
$html = $print();
check( 'the page has a nonce for each form', 2, preg_match_all( '/nonce-of-/', $html ) );
check( 'no secret', 0, preg_match( '/whsec_[A-Za-z0-9+\/]{8}/', $html ) );
check( 'and no HTML but its own', 0, preg_match( '/<script|<i>/', $html ) );
$cake_edge_stub['may'] = false;
check( 'who may not sees nothing', 'You may not change these settings.', $print() );
$try = function () {
	try {
		Settings::check_connection();
	} catch ( \RuntimeException $error ) {
		return $error->getMessage();
	}
};
check( 'nor checks the connection', 'You may not change these settings.', $try() );
$cake_edge_stub['may'] = true;
check( 'without the nonce nobody does', 'the link has expired', $try() );
$_REQUEST['_wpnonce'] = 'nonce-of-cake_edge_check';
$next                 = array( 'code' => 400, 'body' => '{"error":{"code":"invalid_field","rule":"r","retryable":false}}', 'headers' => array() );
check( 'with it the page comes back', 1, preg_match( '/^redirect .*page=cake-edge$/', $try() ) );
check( 'and says PASS', 1, preg_match( '/^PASS/', $cake_edge_stub['transients']['cake_edge_checked'] ) );
$next = array( 'code' => 401, 'body' => '{"error":{"code":"signature_refused","rule":"r","retryable":false}}', 'headers' => array() );
check( 'or FAIL, and why', 1, preg_match( '/^FAIL: the forwarder has another secret/', Settings::connection() ) );

define( 'WP_UNINSTALL_PLUGIN', true );
$cake_edge_stub['jobs'] = array( 1 );
require __DIR__ . '/../cake-edge/uninstall.php';
check( 'nothing stays behind', array( array(), array(), array() ), array( $cake_edge_stub['options'], $cake_edge_stub['transients'], $cake_edge_stub['jobs'] ) );

// PHP 7.4 is what the plugin promises: these came later.
$later = array( 'T_MATCH', 'T_NULLSAFE_OBJECT_OPERATOR', 'T_ATTRIBUTE', 'T_ENUM', 'T_READONLY' );
foreach ( array_merge( glob( __DIR__ . '/../cake-edge/*.php' ), glob( __DIR__ . '/../cake-edge/includes/*.php' ) ) as $file ) {
	$found  = array();
	$tokens = array_values( array_filter( token_get_all( file_get_contents( $file ) ), function ( $token ) {
		return ! is_array( $token ) || ! in_array( $token[0], array( T_WHITESPACE, T_COMMENT, T_DOC_COMMENT ), true );
	} ) );
	foreach ( $tokens as $index => $token ) {
		$name = is_array( $token ) ? token_name( $token[0] ) : '';
		$is_later_function = 'T_STRING' === $name && in_array( $token[1], array( 'str_contains', 'str_starts_with', 'str_ends_with', 'get_debug_type', 'array_is_list', 'mixed' ), true );
		$is_union          = 'T_STRING' === $name && '|' === ( $tokens[ $index + 1 ] ?? '' ) && is_array( $tokens[ $index + 2 ] ?? '' ) && 'T_STRING' === token_name( $tokens[ $index + 2 ][0] );
		if ( in_array( $name, $later, true ) || $is_later_function || $is_union ) {
			$found[] = $token[1];
		}
	}
	check( 'PHP 7.4: ' . basename( $file ), array(), $found );
}

echo implode( '', $failures ), $passed, ' passed, ', count( $failures ), " failed\n";
exit( array() === $failures ? 0 : 1 );
