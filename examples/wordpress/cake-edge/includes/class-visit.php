<?php
/**
 * Visits: the request as WordPress has it, its cookie, and the order that a visitor makes. The rules are Capture's.
 *
 * @package CakeEdge
 */

namespace CakeEdge;

defined( 'ABSPATH' ) || exit;

/**
 * Between WordPress and {@see Capture}.
 */
final class Visit {
	/**
	 * Captures the click of this request, in the hook `init`.
	 */
	public static function capture(): void {
		if ( headers_sent() || ! isset( $_SERVER['REQUEST_METHOD'], $_SERVER['HTTP_HOST'], $_SERVER['REQUEST_URI'] ) ) {
			return;
		}
		$captured = self::ask( array( Capture::class, 'decide' ) );
		if ( null === $captured || array() === $captured['set_cookies'] ) {
			return;
		}
		foreach ( $captured['set_cookies'] as $cookie ) {
			header( "Set-Cookie: $cookie", false );
		}
		self::forbid_caching();
	}

	/**
	 * Writes the click id into an order that is being made; the caller saves it.
	 *
	 * @param \WC_Order $order The order.
	 */
	public static function mark( $order ): void {
		$click_id = self::ask( array( Capture::class, 'order_click_id' ) );
		if ( is_string( $click_id ) && '' !== $click_id ) {
			$order->update_meta_data( Order_Events::META, $click_id );
		} elseif ( '' === $click_id ) {
			// A draft may have the click of a visitor who has refused since.
			$order->delete_meta_data( Order_Events::META );
		}
	}

	/**
	 * The same for the Store API, which saves the order before.
	 *
	 * @param \WC_Order $order The order.
	 */
	public static function mark_and_save( $order ): void {
		self::mark( $order );
		$order->save();
	}

	/**
	 * What Capture says of this request; null where the site's own filter asks for what cannot be.
	 *
	 * @param callable $capture A method of Capture's.
	 * @return mixed
	 */
	private static function ask( callable $capture ) {
		$headers = array();
		foreach ( array( 'cookie', 'sec-gpc', 'upgrade', 'sec-purpose', 'purpose', 'x-purpose', 'x-moz', 'sec-fetch-mode', 'sec-fetch-dest', 'accept', 'upgrade-insecure-requests' ) as $name ) {
			$key = 'HTTP_' . strtoupper( strtr( $name, '-', '_' ) );
			if ( isset( $_SERVER[ $key ] ) ) {
				$headers[ $name ] = self::header_of( $key );
			}
		}
		$url = ( is_ssl() ? 'https://' : 'http://' ) . self::header_of( 'HTTP_HOST' ) . self::header_of( 'REQUEST_URI' );
		try {
			return $capture( self::header_of( 'REQUEST_METHOD' ), $url, $headers, time(), self::options() );
		} catch ( \Throwable $error ) {
			// The page is worth more than the click: the visitor sees it, and the site's own people read why.
			_doing_it_wrong( 'cake_edge_capture', esc_html( $error->getMessage() ), '0.1.0' );
			return null;
		}
	}

	/**
	 * What the server tells of the request, as it came: WordPress adds backslashes. Nothing of it is printed or stored
	 * as it is; what is kept has passed the rules of click ids.
	 *
	 * @param string $key The name in $_SERVER.
	 */
	private static function header_of( string $key ): string {
		// phpcs:ignore WordPress.Security.ValidatedSanitizedInput.InputNotSanitized -- any change would spoil a signature.
		return isset( $_SERVER[ $key ] ) ? (string) wp_unslash( $_SERVER[ $key ] ) : '';
	}

	/**
	 * The options of capture, by the names of docs/capture.md. The filter `cake_edge_capture` may change each.
	 */
	private static function options(): array {
		return (array) apply_filters(
			'cake_edge_capture',
			array(
				'secrets' => Settings::cookie_secrets(),
				'consent' => self::consent(),
			) + Capture::DEFAULTS
		);
	}

	/**
	 * What the visitor has said: by the WP Consent API where it is there, else the setting.
	 */
	private static function consent(): string {
		if ( ! function_exists( 'wp_has_consent' ) ) {
			return Settings::get()['consent'];
		}
		if ( wp_has_consent( 'marketing' ) ) {
			return 'granted';
		}
		return 1 === preg_match( '/(?:^|;)\s*\w*consent_marketing=deny\s*(?:;|$)/D', self::header_of( 'HTTP_COOKIE' ) ) ? 'denied' : 'pending';
	}

	/**
	 * Keeps this response out of every cache: one visitor's click would be handed to all others.
	 */
	private static function forbid_caching(): void {
		// WP Super Cache, W3 Total Cache, WP Rocket, WP Fastest Cache, Cache Enabler and most others.
		defined( 'DONOTCACHEPAGE' ) || define( 'DONOTCACHEPAGE', true );
		// LiteSpeed: its plugin, and the server without it.
		defined( 'LSCACHE_NO_CACHE' ) || define( 'LSCACHE_NO_CACHE', true );
		do_action( 'litespeed_control_set_nocache', 'cake-edge has set a cookie' );
		header( 'X-LiteSpeed-Cache-Control: no-cache' );
		nocache_headers();
		header( 'Cache-Control: private, no-store' );
		foreach ( array( 'CDN-Cache-Control', 'Cloudflare-CDN-Cache-Control', 'Surrogate-Control', 'X-Accel-Expires' ) as $name ) {
			header_remove( $name );
		}
	}
}
