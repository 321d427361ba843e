<?php
/**
 * What an order says of a sale or a refund: the fields, ids and rules of the forwarder's own mapping of WooCommerce's
 * webhooks (src/delivery/shop/woocommerce.rs), so that both doors at once give one conversion.
 * tests/vectors/shop_webhooks.json holds both to each other.
 *
 * @package CakeEdge
 */

namespace CakeEdge;

defined( 'ABSPATH' ) || exit;

/**
 * Reads an order; it changes nothing.
 */
final class Order_Events {
	/** The order's meta that has the click id. The forwarder's webhook reads the same name. */
	const META = '_reqid';

	/** An earlier date is none: WooCommerce makes 1970 of a text that it cannot read. src/delivery/shop has the same day, 2000-01-01. */
	const FIRST = 946684800;

	/** For so many days the forwarder knows a repetition as one. */
	const KEPT_DAYS = 30;

	const DEFAULTS = array(
		'offer_id'  => 0,
		'currency'  => '',
		'revenue'   => 'total',
		'unique_id' => 'id',
		'id_prefix' => '',
		'statuses'  => array( 'processing', 'completed' ),
		'recurring' => false,
		'time_zone' => '',
	);

	/**
	 * The events of an order: each with the forwarder's `route`, its own `id`, and its `fields`.
	 *
	 * @param \WC_Order $order    The order.
	 * @param array     $settings See DEFAULTS.
	 * @param int       $now      Seconds since 1970.
	 * @param array     $queued   The fields of the corrections that were queued before, by their ids, in their order.
	 * @param array     $told     What CAKE was told last: `status` and `revenue`; and what it was told the order by: see known_by().
	 */
	public static function of( $order, array $settings, int $now, array $queued = array(), array $told = array() ): array {
		$settings = array_merge( self::DEFAULTS, $settings );
		$id       = (string) $order->get_id();
		$status   = $order->get_status();
		$click_id = trim( (string) $order->get_meta( self::META ) );
		$is_sale  = in_array( $status, $settings['statuses'], true );
		$is_over  = in_array( $status, array( 'refunded', 'cancelled' ), true );
		if ( '' === $id || '0' === $id || ! Click_Id::is_valid( $click_id ) || ! ( $is_sale || $is_over ) || ! self::counts( $order, $settings ) ) {
			return array();
		}
		$known_by = self::known_by( $order, $settings, $told );
		$id       = $settings['id_prefix'] . $id;
		$told    += array( 'status' => 'approved' );
		if ( $is_over && ! $is_sale ) {
			$fields = array_diff_assoc( array( 'status' => 'returned' ), $told );
			return array_filter( array( self::correction( "woocommerce-$status-$id", $known_by, $fields, $queued ) ) );
		}
		$sold = self::date_of( $order ) ?? $now;
		// Where an order is no sale before it is completed, it is one from then on.
		if ( 'completed' === $status && ! in_array( 'processing', $settings['statuses'], true ) && $order->get_date_completed() ) {
			$sold = max( $sold, $order->get_date_completed()->getTimestamp() );
		}
		$is_old = $sold + self::KEPT_DAYS * Touch::DAY < $now;
		return array_filter(
			array(
				// No new sale, but the old one may be refunded.
				$is_old ? null : self::sale( $order, $settings, $now, $told ),
				self::state_now( $order, $settings, $known_by, $told, $queued ),
			)
		);
	}

	/**
	 * Is this an order of its own that counts? A vendor's part of another order may have a copy of that one's click, and a
	 * renewal has one of the first order's.
	 *
	 * @param \WC_Order $order    The order.
	 * @param array     $settings See DEFAULTS.
	 */
	private static function counts( $order, array $settings ): bool {
		$is_by_subscription = 'subscription' === $order->get_created_via();
		if ( $order->get_parent_id() && ! $is_by_subscription ) {
			return false;
		}
		$is_renewal = $is_by_subscription || '' !== (string) $order->get_meta( '_subscription_renewal' );
		return ! $is_renewal || $settings['recurring'];
	}

	/**
	 * The sale that an order is.
	 *
	 * @param \WC_Order $order    The order, with a click id.
	 * @param array     $settings See DEFAULTS.
	 * @param int       $now      Seconds since 1970.
	 * @param array     $told     What CAKE was told the order by, if it was: see known_by().
	 */
	public static function sale( $order, array $settings, int $now, array $told = array() ): array {
		$settings = array_merge( self::DEFAULTS, $settings );
		$fields   = array( 'clickId' => trim( (string) $order->get_meta( self::META ) ) ) + self::known_by( $order, $settings, $told );
		$amount = self::is_own_currency( $order, $settings ) ? self::revenue( $order, $settings['revenue'] ) : null;
		if ( null !== $amount ) {
			$fields['revenue'] = $amount;
		}
		$date = self::date_of( $order );
		// A gateway may write the shop's local time as UTC: a date in the future is not used, and the sale counts when it comes.
		if ( '' !== $settings['time_zone'] && null !== $date && $date <= $now ) {
			$zone                     = new \DateTimeZone( $settings['time_zone'] );
			$fields['conversionDate'] = ( new \DateTimeImmutable( '@' . $date ) )->setTimezone( $zone )->format( 'Y-m-d H:i:s' );
		}
		return array(
			'route'  => 'conversions',
			'id'     => 'woocommerce-sale-' . $settings['id_prefix'] . $order->get_id(),
			'fields' => $fields,
		);
	}

	/**
	 * The offer and the unique id: what CAKE knows an order by. Numbers and settings may change; what CAKE was told first stays.
	 *
	 * @param \WC_Order $order    The order.
	 * @param array     $settings See DEFAULTS.
	 * @param array     $told     `offerId` and `uniqueId` as CAKE was told them, if it was.
	 */
	public static function known_by( $order, array $settings, array $told = array() ): array {
		$settings = array_merge( self::DEFAULTS, $settings );
		$known_by = array(
			'offerId'  => (int) $settings['offer_id'],
			'uniqueId' => $settings['id_prefix'] . ( 'number' === $settings['unique_id'] ? (string) $order->get_order_number() : (string) $order->get_id() ),
		);
		return array_merge( $known_by, array_intersect_key( $told, $known_by ) );
	}

	/**
	 * When an order was paid, else made, in seconds since 1970; null where nobody knows.
	 *
	 * @param \WC_Order $order The order.
	 */
	private static function date_of( $order ): ?int {
		foreach ( array( $order->get_date_paid(), $order->get_date_created() ) as $date ) {
			if ( $date && $date->getTimestamp() >= self::FIRST ) {
				return $date->getTimestamp();
			}
		}
		return null;
	}

	/**
	 * The correction that makes the order in CAKE what it is here: a part is refunded, the total was edited, or what was
	 * taken back counts again. Null where nothing changes.
	 *
	 * @param \WC_Order $order    The order.
	 * @param array     $settings See DEFAULTS.
	 * @param array     $known_by `offerId` and `uniqueId`.
	 * @param array     $told     What CAKE was told last: `status` and `revenue`.
	 * @param array     $queued   The corrections that were queued before.
	 */
	private static function state_now( $order, array $settings, array $known_by, array $told, array $queued ): ?array {
		$taken   = 0.0;
		$last    = 0;
		$total   = self::is_own_currency( $order, $settings ) ? self::revenue( $order, $settings['revenue'] ) : null;
		$is_told = null !== $total;
		// Parts are parts of the total alone.
		foreach ( 'total' === $settings['revenue'] ? $order->get_refunds() : array() as $refund ) {
			// A refund's total is negative.
			$part    = self::money( preg_replace( '/^-/', '', (string) $refund->get_total() ) );
			$is_told = $is_told && null !== $part;
			$taken  += (float) $part;
			$last    = max( $last, (int) $refund->get_id() );
		}
		$left   = self::decimal( max( 0, (float) $total - $taken ) );
		$fields = array( 'status' => $is_told && $taken > 0 && '0.00' === $left ? 'returned' : 'approved' );
		if ( $is_told && 'approved' === $fields['status'] && ( $taken > 0 || isset( $told['revenue'] ) ) ) {
			$fields['revenue'] = $left;
		}
		$fields = array_diff_assoc( $fields, $told );
		$word   = isset( $fields['status'] ) ? 'restored' : 'total';
		$id     = $settings['id_prefix'] . $order->get_id();
		$id     = $is_told && $taken > 0 ? "woocommerce-refund-$id-$last" : "woocommerce-$word-$id";
		return self::correction( $id, $known_by, $fields, $queued );
	}

	/**
	 * A correction; null where nothing changes. Its id is its own: an order may come to the same state twice.
	 *
	 * @param string $id       Its id.
	 * @param array  $known_by `offerId` and `uniqueId`.
	 * @param array  $fields   What changes.
	 * @param array  $queued   The corrections that were queued before.
	 */
	private static function correction( string $id, array $known_by, array $fields, array $queued ): ?array {
		if ( array() === $fields ) {
			return null;
		}
		if ( isset( $queued[ $id ] ) ) {
			$id .= '-' . count( $queued );
		}
		return array(
			'route'  => 'corrections',
			'id'     => $id,
			'fields' => array( 'correctionId' => $id ) + $known_by + $fields,
		);
	}

	/**
	 * The revenue; null where it is left to CAKE, or is no amount.
	 *
	 * @param \WC_Order $order The order.
	 * @param string    $which `total`: all that was paid; `subtotal`: the goods after discounts, without tax and shipping; `none`.
	 */
	private static function revenue( $order, string $which ): ?string {
		if ( 'subtotal' !== $which ) {
			return 'total' === $which ? self::money( $order->get_total() ) : null;
		}
		$sum = null;
		foreach ( $order->get_items() as $item ) {
			$total = self::money( $item->get_total() );
			if ( null === $total ) {
				return null;
			}
			$sum += (float) $total;
		}
		return null === $sum ? null : self::decimal( $sum );
	}

	/**
	 * An amount with two to four decimals; null where it is no plain decimal, negative, or more exact than CAKE's.
	 *
	 * @param mixed $amount As WooCommerce has it.
	 */
	private static function money( $amount ): ?string {
		return 1 === preg_match( '/^\d{1,9}(?:\.\d{1,4}0*)?$/D', trim( (string) $amount ) ) ? self::decimal( (float) $amount ) : null;
	}

	/**
	 * An amount's text.
	 *
	 * @param float $amount The amount.
	 */
	private static function decimal( float $amount ): string {
		return preg_replace( '/0{1,2}$/D', '', sprintf( '%.4F', $amount ) );
	}

	/**
	 * Is the order in the currency of CAKE's revenue?
	 *
	 * @param \WC_Order $order    The order.
	 * @param array     $settings See DEFAULTS.
	 */
	private static function is_own_currency( $order, array $settings ): bool {
		return 0 === strcasecmp( trim( (string) $order->get_currency() ), trim( $settings['currency'] ) );
	}
}
