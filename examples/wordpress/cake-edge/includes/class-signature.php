<?php
/**
 * Signatures: of the cookie (src/signed_cookie.rs), and of requests to the forwarder (Standard Webhooks).
 *
 * @package CakeEdge
 */

namespace CakeEdge;

defined( 'ABSPATH' ) || exit;

/**
 * HMAC-SHA256, twice.
 */
final class Signature {
	/**
	 * The headers that sign a body for the forwarder.
	 *
	 * @param string $id     The request's own id: the same for every repetition of this very body.
	 * @param int    $now    Seconds since 1970.
	 * @param string $body   The body as it is sent.
	 * @param string $secret `whsec_` and base64 of 24 bytes or more.
	 * @return array<string,string>
	 */
	public static function headers( string $id, int $now, string $body, string $secret ): array {
		$mac = hash_hmac( 'sha256', "$id.$now.$body", (string) self::key_of( $secret ), true );
		return array(
			'webhook-id'        => $id,
			'webhook-timestamp' => (string) $now,
			// phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_encode -- Standard Webhooks' form.
			'webhook-signature' => 'v1,' . base64_encode( $mac ),
		);
	}

	/**
	 * The bytes of a signing secret; null where it is none.
	 *
	 * @param string $secret `whsec_` and base64 of 24 bytes or more.
	 */
	public static function key_of( string $secret ): ?string {
		// phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_decode -- Standard Webhooks' form.
		$key = base64_decode( preg_replace( '/^whsec_/', '', trim( $secret ) ), true );
		return false !== $key && strlen( $key ) >= 24 ? $key : null;
	}

	/**
	 * A cookie's signed value.
	 *
	 * @param string   $name    The cookie's name.
	 * @param string   $value   What is kept.
	 * @param int      $expires Seconds since 1970.
	 * @param string[] $secrets The newest first: it signs.
	 */
	public static function sign_cookie( string $name, string $value, int $expires, array $secrets ): string {
		$end = base_convert( (string) $expires, 10, 36 );
		return "$value.$end." . self::mac( $secrets[0], $name, $value, $end );
	}

	/**
	 * The values that one of the secrets has signed for one of the names, and that have not expired, each after a
	 * semicolon. A browser may send several cookies of one name.
	 *
	 * @param string   $cookies The header `Cookie`.
	 * @param string[] $names   The names.
	 * @param int      $now     Seconds since 1970.
	 * @param string[] $secrets All of them verify.
	 */
	public static function verified_cookies( string $cookies, array $names, int $now, array $secrets ): string {
		$values = '';
		foreach ( $names as $name ) {
			foreach ( self::cookies_named( $cookies, $name ) as $cookie ) {
				$parts = explode( '.', $cookie );
				$mac   = array_pop( $parts );
				$end   = (string) array_pop( $parts );
				$value = implode( '.', $parts );
				foreach ( $secrets as $secret ) {
					if ( hash_equals( self::mac( $secret, $name, $value, $end ), $mac ) && $now < intval( $end, 36 ) ) {
						$values .= ';' . $value;
						break;
					}
				}
			}
		}
		return $values;
	}

	/**
	 * The values of all cookies of this name.
	 *
	 * @param string $cookies The header `Cookie`.
	 * @param string $name    The name.
	 * @return string[]
	 */
	public static function cookies_named( string $cookies, string $name ): array {
		$values = array();
		foreach ( explode( ';', $cookies ) as $pair ) {
			$parts = explode( '=', $pair, 2 );
			if ( isset( $parts[1] ) && trim( $parts[0] ) === $name ) {
				$values[] = trim( $parts[1] );
			}
		}
		return $values;
	}

	/**
	 * Base64url of the cookie's HMAC.
	 *
	 * @param string $secret The secret.
	 * @param string $name   The cookie's name.
	 * @param string $value  What is kept.
	 * @param string $end    When it expires, base 36.
	 */
	private static function mac( string $secret, string $name, string $value, string $end ): string {
		$mac = hash_hmac( 'sha256', "$name=$value;$end", trim( $secret ), true );
		// phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_encode -- the form of the cookie.
		return rtrim( strtr( base64_encode( $mac ), '+/', '-_' ), '=' );
	}
}
