<?php
/**
 * The one function of the WP Consent API that the plugin calls. A site without that plugin has the setting alone.
 *
 * @package CakeEdge
 */

// phpcs:disable

function wp_has_consent( $category ) {
	return 'marketing' === $category && false !== strpos( $_SERVER['HTTP_COOKIE'] ?? '', 'wp_consent_marketing=allow' );
}
