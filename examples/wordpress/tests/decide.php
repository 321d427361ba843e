<?php
/**
 * Decides about the requests on standard input, a JSON list of `{ method, url, headers, at, options }`, and prints what
 * it says: a test compares it with cake-edge's `captureClick`.
 *
 * @package CakeEdge
 */

// phpcs:disable

require __DIR__ . '/wordpress.php';
foreach ( array( 'click-id', 'touch', 'signature', 'capture' ) as $part ) {
	require __DIR__ . "/../cake-edge/includes/class-$part.php";
}
$answers = array();
foreach ( json_decode( stream_get_contents( STDIN ), true ) as $each ) {
	$answers[] = CakeEdge\Capture::decide( $each['method'], $each['url'], $each['headers'], intdiv( $each['at'], 1000 ), $each['options'] );
}
echo json_encode( $answers, JSON_THROW_ON_ERROR );
