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
				foreach ( array_merge( array( $cookie ), self::former_values( $cookie ) ) as $former ) {
					$value = self::verified( $former, $name, $now, $secrets );
					if ( '' !== $value ) {
						$values .= ';' . $value;
						break;
					}
				}
			}
		}
		return $values;
	}

	/**
	 * What one of the secrets has signed in a cookie that has not expired; '' where none has.
	 *
	 * @param string   $cookie  The cookie's value.
	 * @param string   $name    Its name.
	 * @param int      $now     Seconds since 1970.
	 * @param string[] $secrets All of them verify.
	 */
	private static function verified( string $cookie, string $name, int $now, array $secrets ): string {
		$parts = explode( '.', $cookie );
		$mac   = array_pop( $parts );
		$end   = (string) array_pop( $parts );
		$value = implode( '.', $parts );
		foreach ( $secrets as $secret ) {
			if ( hash_equals( self::mac( $secret, $name, $value, $end ), $mac ) && $now < intval( $end, 36 ) ) {
				return $value;
			}
		}
		return '';
	}

	/**
	 * How a value may have read before the site's server set its visitors' cookies again: such code decodes a value,
	 * encodes it, or does both. The rule of former_values in src/cookie.rs.
	 *
	 * @param string $cookie The cookie's value.
	 * @return string[]
	 */
	private static function former_values( string $cookie ): array {
		$plain  = rawurldecode( $cookie );
		$escape = static function ( $odd ) {
			return sprintf( '%%%02X', ord( $odd[0] ) );
		};
		return array( (string) preg_replace_callback( '/[^a-zA-Z0-9._:!*-]/', $escape, $plain ), $plain );
	}

	/**
	 * The values of all cookies of this name. A platform may have joined several fields `Cookie` by commas.
	 *
	 * @param string $cookies The header `Cookie`.
	 * @param string $name    The name.
	 * @return string[]
	 */
	public static function cookies_named( string $cookies, string $name ): array {
		$values = array();
		foreach ( explode( ';', strtr( $cookies, ',', ';' ) ) as $pair ) {
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
