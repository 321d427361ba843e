<?php
/**
 * Capture: what a request does to the cookie of clicks, by the rules of cake-edge's edge (src/capture.rs). The cookie is
 * the edge's own, so a forwarder that knows the secret believes it. tests/vectors/capture.json holds both to each other.
 *
 * @package CakeEdge
 */

namespace CakeEdge;

defined( 'ABSPATH' ) || exit;

/**
 * Decides; it sends nothing.
 */
final class Capture {
	const HOST_COOKIE     = '__Host-cake_click';
	const DOMAIN_COOKIE   = '__Secure-cake_click';
	const LOOPBACK_COOKIE = 'cake_click_signed';
	/** The page's own, which its tracker writes. */
	const PAGE_COOKIE = 'cake_click';

	const DEFAULTS = array(
		'secrets'                    => array(),
		'consent'                    => 'granted',
		'ignoreGlobalPrivacyControl' => false,
		'parameters'                 => Click_Id::DEFAULT_PARAMETERS,
		'touch'                      => 'last',
		'windowDays'                 => 30,
		'journey'                    => 5,
		'domain'                     => '',
	);

	/**
	 * Decides about one request: `click_id` ('' where there is none), `set_cookies` and `reason` ('' where the click is
	 * stored now).
	 *
	 * @param string $method  GET, …
	 * @param string $url     The whole address.
	 * @param array  $headers By their names in small letters; a missing one is not there.
	 * @param int    $now     Seconds since 1970.
	 * @param array  $options See DEFAULTS.
	 */
	public static function decide( string $method, string $url, array $headers, int $now, array $options ): array {
		$options   = self::checked( $options );
		$origin    = preg_match( '~^[a-z]+://[^/?#]*~', $url, $found ) ? $found[0] : '';
		$is_secure = 0 === strpos( $origin, 'https://' );
		$host      = strtolower( rtrim( (string) preg_replace( '~^[a-z]+://|:\d*$~', '', $origin ), '.' ) );
		$domain    = $is_secure ? strtolower( ltrim( trim( $options['domain'] ), '.' ) ) : '';
		if ( '' !== $domain && $host !== $domain && substr( $host, -strlen( $domain ) - 1 ) !== ".$domain" ) {
			throw new \InvalidArgumentException( "invalid_cookie: the host is not one of the option domain, $domain" );
		}
		$name    = $is_secure ? ( '' === $domain ? self::HOST_COOKIE : self::DOMAIN_COOKIE ) : self::LOOPBACK_COOKIE;
		$cookies = isset( $headers['cookie'] ) ? $headers['cookie'] : '';
		$has     = static function ( $name ) use ( $cookies ) {
			return array() !== Signature::cookies_named( $cookies, $name );
		};
		// The present settings' cookie must hold the touch that counts; those of former settings are read as well.
		$names     = array( self::HOST_COOKIE, self::DOMAIN_COOKIE, self::LOOPBACK_COOKIE );
		$stores    = array(
			Signature::verified_cookies( $cookies, array( $name ), $now, $options['secrets'] ),
			Signature::verified_cookies( $cookies, $names, $now, $options['secrets'] ),
		);
		$is_denied = self::is_denied( $headers, $options );

		$reason = self::ignored( $method, $headers, $origin );
		if ( '' !== $reason ) {
			$kept = Touch::keep( null, $stores, $now, $options );
			return self::answer( $is_denied ? '' : $kept['click_id'], array(), $reason );
		}
		if ( $is_denied ) {
			$deletions = array();
			foreach ( array_unique( array_merge( array( $name ), $names, array( self::PAGE_COOKIE ) ) ) as $each ) {
				if ( $has( $each ) ) {
					$deletions = array_merge( $deletions, self::deletions( $each, $host, $domain, $is_secure ) );
				}
			}
			return self::answer( '', array_values( array_unique( $deletions ) ), 'denied' === $options['consent'] ? 'consent_denied' : 'global_privacy_control' );
		}
		$kept = Touch::keep( Click_Id::find( $url, $options['parameters'] ), $stores, $now, $options );
		if ( '' === $kept['click_id'] ) {
			// A cookie that none of the secrets has signed is deleted too: it is useless.
			$deletions = $has( $name ) ? array( self::cookie( $name, '', 0, $domain, $is_secure ) ) : array();
			return self::answer( '', $deletions, $has( $name ) ? 'expired' : 'no_click' );
		}
		if ( 'pending' === $options['consent'] || 0 === $kept['max_age'] ) {
			return self::answer( $kept['click_id'], array(), 'pending' === $options['consent'] ? 'consent_pending' : 'known' );
		}
		$value = Signature::sign_cookie( $name, $kept['text'], $now + $kept['max_age'], $options['secrets'] );
		return self::answer( $kept['click_id'], array( self::cookie( $name, $value, $kept['max_age'], $domain, $is_secure ) ), '' );
	}

	/**
	 * The click id for an order that this request makes: the signed one, else that of the page's own cookie, which a
	 * visitor's tracker has kept and nobody has signed.
	 *
	 * @param string $method  GET, …
	 * @param string $url     The whole address.
	 * @param array  $headers By their names in small letters.
	 * @param int    $now     Seconds since 1970.
	 * @param array  $options See DEFAULTS.
	 */
	public static function order_click_id( string $method, string $url, array $headers, int $now, array $options ): string {
		$options  = self::checked( $options );
		$click_id = self::decide( $method, $url, $headers, $now, $options )['click_id'];
		if ( '' !== $click_id || ! isset( $headers['cookie'] ) || self::is_denied( $headers, $options ) ) {
			return $click_id;
		}
		$store = implode( ';', Signature::cookies_named( $headers['cookie'], self::PAGE_COOKIE ) );
		return Touch::keep( null, array( $store ), $now, $options )['click_id'];
	}

	/**
	 * Has the visitor refused, by consent or by the browser's signal?
	 *
	 * @param array $headers By their names in small letters.
	 * @param array $options Checked ones.
	 */
	private static function is_denied( array $headers, array $options ): bool {
		$is_private = isset( $headers['sec-gpc'] ) && 1 === preg_match( '~(?:^|,)[ \t]*"*\??1"*[ \t]*(?:[;,]|$)~D', $headers['sec-gpc'] );
		return 'denied' === $options['consent'] || ( $is_private && ! $options['ignoreGlobalPrivacyControl'] );
	}

	/**
	 * The options with their defaults.
	 *
	 * @param array $options See DEFAULTS.
	 * @throws \InvalidArgumentException With the code and what to do.
	 */
	private static function checked( array $options ): array {
		$options            = array_merge( self::DEFAULTS, $options );
		$words              = array(
			'true'  => 'granted',
			'false' => 'denied',
		);
		$consent            = is_bool( $options['consent'] ) ? ( $options['consent'] ? 'true' : 'false' ) : strtolower( trim( (string) $options['consent'] ) );
		$options['consent'] = isset( $words[ $consent ] ) ? $words[ $consent ] : $consent;
		foreach ( array( 'windowDays', 'journey' ) as $name ) {
			$options[ $name ] = (int) $options[ $name ];
		}
		foreach ( array(
			'consent'    => in_array( $options['consent'], array( 'granted', 'pending', 'denied' ), true ),
			'touch'      => in_array( $options['touch'], array( 'last', 'first' ), true ),
			'windowDays' => $options['windowDays'] >= 1 && $options['windowDays'] <= 400,
			'journey'    => $options['journey'] >= 1 && $options['journey'] <= 20,
		) as $name => $is_good ) {
			if ( ! $is_good ) {
				throw new \InvalidArgumentException( "invalid_setting: $name" );
			}
		}
		foreach ( $options['secrets'] as $secret ) {
			if ( strlen( trim( (string) $secret ) ) < 32 ) {
				throw new \InvalidArgumentException( 'weak_secret: a cookie secret has 32 characters or more: openssl rand -hex 32' );
			}
		}
		if ( array() === $options['secrets'] ) {
			throw new \InvalidArgumentException( 'weak_secret: there is no cookie secret' );
		}
		return $options;
	}

	/**
	 * Why a request is no visit; '' where it is one.
	 *
	 * @param string $method  GET, …
	 * @param array  $headers By their names in small letters.
	 * @param string $origin  The address up to its path.
	 */
	private static function ignored( string $method, array $headers, string $origin ): string {
		$is = static function ( $name, $word ) use ( $headers ) {
			return isset( $headers[ $name ] ) && 0 === strcasecmp( trim( $headers[ $name ] ), $word );
		};
		if ( 'GET' !== $method ) {
			return 'not_get';
		}
		if ( isset( $headers['upgrade'] ) ) {
			return 'upgrade';
		}
		$purposes = array();
		foreach ( array( 'sec-purpose', 'purpose', 'x-purpose', 'x-moz' ) as $name ) {
			if ( isset( $headers[ $name ] ) ) {
				$purposes = array_merge( $purposes, array_map( 'trim', preg_split( '/[;,]/', strtolower( $headers[ $name ] ) ) ) );
			}
		}
		if ( in_array( 'prerender', $purposes, true ) ) {
			return 'prerender';
		}
		if ( array() !== array_intersect( array( 'prefetch', 'preview' ), $purposes ) ) {
			return 'prefetch';
		}
		$has_mode = isset( $headers['sec-fetch-mode'] );
		$has_dest = isset( $headers['sec-fetch-dest'] );
		if ( ! $has_mode && ! $has_dest ) {
			// Browsers before 2023 lack these headers; in a navigation they accept HTML.
			$is_navigation = 1 === preg_match( '~(?:^|,)\s*text/html\s*(?:[;,]|$)~iD', isset( $headers['accept'] ) ? $headers['accept'] : '' );
		} elseif ( $is( 'sec-fetch-dest', 'empty' ) ) {
			// A site's service worker may fetch the visitor's request anew.
			$is_navigation = $is( 'sec-fetch-mode', 'navigate' ) || $is( 'upgrade-insecure-requests', '1' );
		} else {
			$is_navigation = $is( 'sec-fetch-mode', 'navigate' ) && ( ! $has_dest || $is( 'sec-fetch-dest', 'document' ) );
		}
		if ( ! $is_navigation ) {
			return 'not_navigation';
		}
		$is_loopback = 1 === preg_match( '~^http://(?:127(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}|(?:[\w-]+\.)*localhost|\[::1\])(?::[1-9]\d{0,4})?$~iD', $origin );
		return $is_loopback || 0 === strpos( $origin, 'https://' ) ? '' : 'insecure';
	}

	/**
	 * Deletes a cookie for every domain that the host can set: a header `Cookie` does not tell a cookie's domain.
	 *
	 * @param string $name      The cookie's name.
	 * @param string $host      The request's host.
	 * @param string $domain    The option; '' for the host alone.
	 * @param bool   $is_secure Is the request https?
	 * @return string[]
	 */
	private static function deletions( string $name, string $host, string $domain, bool $is_secure ): array {
		$is_secure = $is_secure || 0 === strpos( $name, '__' );
		$domains   = array();
		if ( self::DOMAIN_COOKIE === $name || self::PAGE_COOKIE === $name ) {
			$domains[] = $domain;
			for ( $rest = $host; 1 === preg_match( '/^(?=.{1,253}$)(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)+[a-z](?:[a-z\d-]{0,61}[a-z\d])?$/iD', $rest ); ) {
				$domains[] = $rest;
				$rest      = explode( '.', $rest, 2 )[1];
			}
		}
		$deletions = array();
		foreach ( array_filter( $domains ) as $each ) {
			$deletions[] = self::cookie( $name, '', 0, $each, $is_secure );
		}
		$deletions[] = self::cookie( $name, '', 0, '', $is_secure );
		return $deletions;
	}

	/**
	 * The value of a header `Set-Cookie`.
	 *
	 * @param string $name      The cookie's name.
	 * @param string $value     Its value.
	 * @param int    $max_age   Seconds; 0 deletes it.
	 * @param string $domain    '' for the host alone.
	 * @param bool   $is_secure Is the request https?
	 */
	private static function cookie( string $name, string $value, int $max_age, string $domain, bool $is_secure ): string {
		return "$name=$value" . ( '' === $domain ? '' : "; Domain=$domain" ) . "; Path=/; Max-Age=$max_age; SameSite=Lax" . ( $is_secure ? '; Secure' : '' ) . '; HttpOnly';
	}

	/**
	 * What {@see Capture::decide()} says.
	 *
	 * @param string   $click_id    The click id that counts now.
	 * @param string[] $set_cookies Values of `Set-Cookie`.
	 * @param string   $reason      Why no click is stored.
	 */
	private static function answer( string $click_id, array $set_cookies, string $reason ): array {
		return compact( 'click_id', 'set_cookies', 'reason' );
	}
}
