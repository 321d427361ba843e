<?php
/**
 * The time that the plugin sees: `$cake_edge_ahead` seconds ahead of the clock.
 *
 * @package CakeEdge
 */

// phpcs:disable

namespace CakeEdge;

$cake_edge_ahead = 0;
function time() {
	global $cake_edge_ahead;
	return \time() + $cake_edge_ahead;
}
