<?php
/**
 * Touches: clicks that reached a landing page, in the text that page and edge keep as well (src/touch.rs):
 * `1!WRITTEN*TIME!PARAMETER!CLICK_ID!s1!…`, the newest first, times in seconds, base 36.
 *
 * @package CakeEdge
 */

namespace CakeEdge;

defined( 'ABSPATH' ) || exit;

/**
 * What a visit leaves behind.
 */
final class Touch {
	const MAX_BYTES = 3000;
	const DAY       = 86400;

	/** The time of a text that a wrong clock dated ahead. */
	const AHEAD = 1;

	/**
	 * Decides which click counts, and what is stored: `click_id` ('' where there is none), `text`, `max_age` (0 where
	 * nothing is to be written), `is_expired`.
	 *
	 * @param array|null $click  What {@see Click_Id::find()} has found.
	 * @param string[]   $stores Stored texts; several copies in one are separated by semicolons.
	 * @param int        $now    Seconds since 1970.
	 * @param array      $policy `touch` ('last' or 'first'), `windowDays`, `journey`.
	 */
	public static function keep( ?array $click, array $stores, int $now, array $policy ): array {
		$is_first = 'first' === $policy['touch'];
		$window   = $policy['windowDays'] * self::DAY;
		list( $latest, $written ) = self::latest( $stores, $now );
		// A touch that is ahead of the clock counts from when its text was written. At first its time stays: nobody knows
		// which of the two clocks was wrong.
		$is_ahead = self::AHEAD === $written;
		$ahead    = $is_ahead ? $now : $written;
		$parts    = explode( '*', $latest, 2 );
		$earlier  = isset( $parts[1] ) ? $parts[1] : '';
		$touches  = self::live( $earlier, $now, $ahead, $window );
		$arrivals = null === $click ? array() : self::live( self::write( $click, $now ), $now, $ahead, $window );
		// The same click id does not move the clock.
		if ( array() !== $arrivals && in_array( $arrivals[0]['click_id'], array_column( $touches, 'click_id' ), true ) ) {
			$arrivals = array();
		}
		$is_fresh = array() === $arrivals && $written + intdiv( $window, 2 ) > $now;

		$oldest  = array() === $touches ? 0 : strlen( self::bare( end( $touches ) ) ) + 8;
		$touches = array_merge( $arrivals, $touches );
		$live    = count( $touches );
		$kept    = array(
			'click_id'   => '',
			'text'       => '',
			'max_age'    => 0,
			'is_expired' => 0 === $live && '' !== $latest,
		);
		if ( 0 === $live ) {
			return $kept;
		}
		$newest = $touches[0]['at'];
		// The stored text again, where nothing has changed.
		$text   = '1!' . self::time_text( $is_fresh ? $written : $now );
		$places = $policy['journey'];
		foreach ( $touches as $touch ) {
			--$live;
			if ( $is_first || '' === $kept['click_id'] ) {
				$kept['click_id'] = $touch['click_id'];
			}
			// The first touch is written last: its place is kept free.
			$reserved = $is_first && $live > 0 ? 1 : 0;
			if ( $places === $reserved ) {
				continue;
			}
			// Sub ids give way first, then the oldest touches.
			foreach ( array_unique( array( $touch['text'], self::bare( $touch ) ) ) as $part ) {
				$at     = $is_ahead || $is_fresh ? $touch['written'] : $touch['at'];
				$longer = $text . '*' . self::time_text( $at ) . '!' . $part;
				if ( strlen( $longer ) <= self::MAX_BYTES - $reserved * $oldest ) {
					$text = $longer;
					--$places;
					break;
				}
			}
		}
		$kept['text'] = $text;
		if ( ! self::is_in_all( $text, $stores ) ) {
			$kept['max_age'] = max( 1, min( $window, max( 0, $newest + $window - $now ) ) );
		}
		return $kept;
	}

	/**
	 * A click as a touch.
	 *
	 * @param array $click What {@see Click_Id::find()} has found.
	 * @param int   $now   Seconds since 1970.
	 */
	private static function write( array $click, int $now ): string {
		$fields = array_map( array( __CLASS__, 'field' ), $click['sub_ids'] );
		return rtrim( self::time_text( $now ) . '!' . self::field( $click['parameter'] ) . '!' . $click['id'] . '!' . implode( '!', $fields ), '!' );
	}

	/**
	 * Percent-encodes all but the letters of click ids.
	 *
	 * @param string $value The value.
	 */
	private static function field( string $value ): string {
		return preg_replace_callback(
			'/[^A-Za-z0-9._:-]/',
			static function ( $found ) {
				return sprintf( '%%%02X', ord( $found[0] ) );
			},
			$value
		);
	}

	/**
	 * The touches within their window, in their order; unreadable ones are passed over.
	 *
	 * @param string   $text   Touches, separated by `*`.
	 * @param int|null $now    Seconds since 1970; null for touches of all times.
	 * @param int      $ahead  When a touch counts that is ahead of the clock.
	 * @param int      $window Seconds.
	 */
	private static function live( string $text, ?int $now, int $ahead = 0, int $window = 0 ): array {
		$touches = array();
		foreach ( '' === $text ? array() : explode( '*', $text ) as $part ) {
			$fields = explode( '!', $part, 2 );
			$rest   = isset( $fields[1] ) ? $fields[1] : '';
			$at     = self::read_time( $fields[0] );
			$parts  = explode( '!', $rest );
			$id     = isset( $parts[1] ) ? $parts[1] : '';
			$written = $at;
			if ( null !== $now && $at > $now + self::DAY ) {
				$at = $ahead;
			}
			$is_live = null === $now || max( 0, $now - $at ) < $window;
			if ( $at > 0 && $is_live && Click_Id::has_form( $id ) ) {
				$touches[] = array(
					'at'        => $at,
					'written'   => $written,
					'text'      => $rest,
					'click_id'  => $id,
					'parameter' => $parts[0],
				);
			}
		}
		return $touches;
	}

	/**
	 * A touch without its sub ids.
	 *
	 * @param array $touch One of {@see Touch::live()}.
	 */
	private static function bare( array $touch ): string {
		return $touch['parameter'] . '!' . $touch['click_id'];
	}

	/**
	 * Of all copies the one that was written last, and when. One that a wrong clock dated ahead is older than any other.
	 *
	 * @param string[] $stores Stored texts.
	 * @param int      $now    Seconds since 1970.
	 * @return array{string,int}
	 */
	private static function latest( array $stores, int $now ): array {
		$latest = array( '', 0 );
		foreach ( $stores as $store ) {
			foreach ( explode( ';', $store ) as $copy ) {
				$head = explode( '*', $copy, 2 );
				$at   = 0 === strpos( $copy, '1!' ) && strlen( $copy ) <= 2 * self::MAX_BYTES && isset( $head[1] ) && array() !== self::live( $head[1], null )
					? self::read_time( substr( $head[0], 2 ) ) : 0;
				if ( $at > $now + self::DAY ) {
					$at = self::AHEAD;
				}
				if ( $at > $latest[1] ) {
					$latest = array( $copy, $at );
				}
			}
		}
		return $latest;
	}

	/**
	 * Has each of the stores a copy of the text?
	 *
	 * @param string   $text   The text.
	 * @param string[] $stores Stored texts.
	 */
	private static function is_in_all( string $text, array $stores ): bool {
		foreach ( $stores as $store ) {
			if ( ! in_array( $text, explode( ';', $store ), true ) ) {
				return false;
			}
		}
		return true;
	}

	/**
	 * Reads a time; 0 where it is none.
	 *
	 * @param string $digits Base 36, small letters, at most 32 bits.
	 */
	private static function read_time( string $digits ): int {
		return 1 === preg_match( '/^(?:[0-9a-z]{1,6}|1[0-9a-z]{6})$/D', $digits ) ? intval( $digits, 36 ) & 0xffffffff : 0;
	}

	/**
	 * Writes a time.
	 *
	 * @param int $seconds Seconds since 1970.
	 */
	private static function time_text( int $seconds ): string {
		return base_convert( (string) max( 1, $seconds ), 10, 36 );
	}
}
