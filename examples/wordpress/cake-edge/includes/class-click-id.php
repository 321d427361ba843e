<?php
/**
 * Click ids: found in a landing page's address and checked, by the rules of cake-edge's core (src/click_id.rs,
 * src/placeholder.rs, src/url.rs). tests/vectors/click_ids.json and missing_values.json hold both to each other.
 *
 * @package CakeEdge
 */

namespace CakeEdge;

defined( 'ABSPATH' ) || exit;

/**
 * Which parameter of an address is the click id.
 */
final class Click_Id {
	const DEFAULT_PARAMETERS = array( 'reqid', 'ckm_request_id', 'click_id', 'clickid' );

	/** Words that name a missing value. The first three are what a program writes where it has lost one. */
	const MISSING = 'undefined null nan nil none n/a true false unknown missing empty unset not invalid infinity no 0 id number ref value name array object string your here insert replace placeholder todo tbd xxx change undef nul na n.a n-a n_a promise blank void aid cid oid pid rid sid tid uid';

	/** Words that stand beside those in a manual: YOUR_ORDER_ID. */
	const BESIDE = 'order click transaction tx unique request req session sub aff affiliate offer set test me my the this with enter invoice date db cart conversion lead sale system available';

	const LOST = 'undefined null nan';

	const MAX_BYTES = 128;

	/** White space as JavaScript's trim() has it. */
	const WHITE = '[\x{9}-\x{d}\x{20}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}]';

	/**
	 * Is this 1 to 128 characters of A-Z a-z 0-9 . _ : - ?
	 *
	 * @param string $text Any text.
	 */
	public static function has_form( string $text ): bool {
		return 1 === preg_match( '/^[A-Za-z0-9._:-]{1,128}$/D', $text );
	}

	/**
	 * Is this a click id, and no word for a missing value?
	 *
	 * @param string $text Any text.
	 */
	public static function is_valid( string $text ): bool {
		return self::has_form( $text ) && ! self::is_missing( $text );
	}

	/**
	 * Does a text in the alphabet of click ids stand for a missing value: undefined, CLICK_ID, __MACRO__, ORD-null?
	 *
	 * @param string $text A text that has the form of a click id.
	 */
	public static function is_missing( string $text ): bool {
		return 1 === preg_match( '/^(?:__.*__|-1)$/Ds', $text )
			|| self::has_no_other_word( $text, self::MISSING, self::BESIDE )
			|| self::has_lost_value( $text );
	}

	/**
	 * The click of a landing page's address: `id`, `parameter` as configured, and `sub_ids`, s1 to s5; null where
	 * there is none. The address is read once as it is, and once as networks mangle it.
	 *
	 * @param string   $address    The address without its fragment, or with it: the fragment is not read.
	 * @param string[] $parameters The names of the click id's parameter, the preferred one first.
	 */
	public static function find( string $address, array $parameters = self::DEFAULT_PARAMETERS ): ?array {
		$address = explode( '#', $address, 2 )[0];
		$parts   = explode( '?', $address, 2 );
		// An encoded equals sign stays one: it tells an address that is a parameter's value.
		$mended = preg_replace( '/[?;]|%(?:25)*(?:3[Ff]|3[Bb]|26)/', '&', $address );
		foreach ( array( isset( $parts[1] ) ? $parts[1] : '', $mended ) as $reading ) {
			$pairs = self::pairs_of( $reading );
			foreach ( $parameters as $parameter ) {
				foreach ( $pairs as list( $name, $value ) ) {
					if ( 0 !== strcasecmp( $name, $parameter ) ) {
						continue;
					}
					$id = self::without_marks( $value );
					if ( self::is_valid( $id ) ) {
						return array(
							'id'        => $id,
							'parameter' => $parameter,
							'sub_ids'   => self::sub_ids_of( $pairs ),
						);
					}
				}
			}
		}
		return null;
	}

	/**
	 * The decoded names and values of a query, without the white space around them.
	 *
	 * @param string $query The query.
	 * @return array<array{string,string}>
	 */
	private static function pairs_of( string $query ): array {
		$pairs = array();
		foreach ( explode( '&', $query ) as $pair ) {
			if ( '' === $pair ) {
				continue;
			}
			$parts   = explode( '=', $pair, 2 );
			$name    = preg_replace( '/^(?:amp;)+/', '', self::decode( $parts[0] ) );
			$pairs[] = array( self::trim( $name ), self::trim( self::decode( isset( $parts[1] ) ? $parts[1] : '' ) ) );
		}
		return $pairs;
	}

	/**
	 * The value without the marks that got around it on its way: "ID", {ID}, ID/. That is done for an id with three
	 * digits or more: a name in marks is a placeholder. Right before the id the mark of an escape stays, so that %20ID
	 * is no click id; only %ID% is a kind of quotes.
	 *
	 * @param string $value A decoded value.
	 */
	private static function without_marks( string $value ): string {
		if ( preg_match_all( '/[0-9]/', $value ) < 3 ) {
			return $value;
		}
		$marks = '[^A-Za-z0-9_-]';
		$last  = '[^A-Za-z0-9_%\\\\\x{fffd}-]';
		return preg_replace( "/^(?:$marks*$last|%(?=[^%]+%\$))|$marks+\$/Du", '', $value );
	}

	/**
	 * The values of s1 to s5 that CAKE would take, '' for the others.
	 *
	 * @param array $pairs Names and values.
	 * @return string[]
	 */
	private static function sub_ids_of( array $pairs ): array {
		$sub_ids = array();
		for ( $number = 1; $number <= 5; $number++ ) {
			$sub_ids[ $number - 1 ] = '';
			foreach ( $pairs as list( $name, $value ) ) {
				if ( 0 !== strcasecmp( $name, 's' . $number ) || 1 === preg_match( '/[#\x{0}-\x{1f}\x{7f}-\x{9f}]/u', $value ) ) {
					continue;
				}
				// As UTF-16 counts: an emoji is two.
				$length = preg_match_all( '/./us', $value ) + preg_match_all( '/[\x{10000}-\x{10ffff}]/u', $value );
				if ( $length >= 1 && $length <= ( 1 === $number ? 50 : 100 ) ) {
					$sub_ids[ $number - 1 ] = $value;
					break;
				}
			}
		}
		return $sub_ids;
	}

	/**
	 * Decodes %XX and + as forms do; bytes that are no UTF-8 become U+FFFD, as in every URL parser.
	 *
	 * @param string $text Encoded text.
	 */
	private static function decode( string $text ): string {
		$text = urldecode( $text );
		if ( 1 === preg_match( '//u', $text ) ) {
			return $text;
		}
		$good = '[\x00-\x7f]+|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}';
		// Each longest start of a sequence, or a byte that starts none, is one mark.
		$bad = '\xe0[\xa0-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]|\xed[\x80-\x9f]|\xf0[\x90-\xbf][\x80-\xbf]?|[\xf1-\xf3][\x80-\xbf]{1,2}|\xf4[\x80-\x8f][\x80-\xbf]?|.';
		return preg_replace_callback(
			"/($good)|$bad/s",
			static function ( $found ) {
				return isset( $found[1] ) ? $found[1] : "\u{fffd}";
			},
			$text
		);
	}

	/**
	 * Without the white space around it.
	 *
	 * @param string $text UTF-8.
	 */
	private static function trim( string $text ): string {
		return preg_replace( '/^' . self::WHITE . '+|' . self::WHITE . '+$/Du', '', $text );
	}

	/**
	 * Does the text consist of words of these lists alone, and of one of `$named` at least, or of marks alone?
	 *
	 * @param string $text   The text.
	 * @param string $named  Words, separated by spaces.
	 * @param string $beside Words that alone say nothing.
	 */
	private static function has_no_other_word( string $text, string $named, string $beside ): bool {
		$named  = explode( ' ', $named );
		$words  = array_merge( $named, array_filter( explode( ' ', $beside ) ) );
		$has    = array(
			'named'  => false,
			'beside' => false,
		);
		$length = strlen( $text );
		for ( $at = 0; $at < $length; ) {
			// A mark between words.
			$count = preg_match( '/\G[^A-Za-z0-9\x80-\xff]/', $text, $found, 0, $at );
			$kind  = null;
			// The longest word that stands here.
			foreach ( $words as $index => $word ) {
				if ( strlen( $word ) > $count && 0 === substr_compare( $text, $word, $at, strlen( $word ), true ) ) {
					$count = strlen( $word );
					$kind  = $index < count( $named ) ? 'named' : 'beside';
				}
			}
			if ( 0 === $count ) {
				return false;
			}
			// `xxx` is three or more.
			while ( $count > 2 && 'x' === strtolower( $text[ $at ] ) && $at + $count < $length && $text[ $at + $count ] === $text[ $at ] ) {
				++$count;
			}
			if ( null !== $kind ) {
				$has[ $kind ] = true;
			}
			$at += $count;
		}
		return $length <= self::MAX_BYTES && ( $has['named'] || ! $has['beside'] );
	}

	/**
	 * Has a program written undefined, null or NaN where its value belongs, with no number beside it?
	 *
	 * @param string $text The text.
	 */
	private static function has_lost_value( string $text ): bool {
		if ( strlen( $text ) > self::MAX_BYTES || 1 === preg_match( '/[0-9]/', $text ) ) {
			return false;
		}
		foreach ( preg_split( '/[^A-Za-z]+/', $text, -1, PREG_SPLIT_NO_EMPTY ) as $word ) {
			if ( self::has_no_other_word( $word, self::LOST, '' ) ) {
				return true;
			}
		}
		return false;
	}
}
