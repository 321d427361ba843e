<?php
/**
 * Delivery: an order's events to the forwarder, each queued once, in their order, until the forwarder has answered for
 * good. What it may say is in docs/forwarder.md.
 *
 * @package CakeEdge
 */

namespace CakeEdge;

defined( 'ABSPATH' ) || exit;

/**
 * The queue of an order is its own meta: one entry for each event, which only that event's job changes.
 */
final class Delivery {
	const HOOK  = 'cake_edge_send';
	const GROUP = 'cake-edge';
	const META  = '_cake_edge_event:';

	/** Seconds before the next attempt; after the last one an event is given up, until somebody sends it again. */
	const WAITS = array( 60, 300, 1800, 7200, 21600, 43200, 86400, 86400 );

	/**
	 * Is an order being queued? Keeping its entries may save the order, which asks again.
	 *
	 * @var bool
	 */
	private static $is_busy = false;

	/**
	 * Queues what an order says now and has not said before. A payment goes on whatever goes wrong here.
	 *
	 * @param int $order_id The order's id.
	 */
	public static function consider( $order_id ): void {
		if ( self::$is_busy ) {
			return;
		}
		self::$is_busy = true;
		try {
			self::queue( $order_id );
		} catch ( \Throwable $error ) {
			wc_get_logger()->error( "Order $order_id is not queued: " . $error->getMessage(), array( 'source' => self::GROUP ) );
		} finally {
			self::$is_busy = false;
		}
	}

	/**
	 * The same, where an error may be thrown.
	 *
	 * @param int $order_id The order's id.
	 */
	private static function queue( $order_id ): void {
		$order = wc_get_order( $order_id );
		// Refunds are orders as well.
		if ( ! $order || ! method_exists( $order, 'get_refunds' ) || ! Settings::is_complete() ) {
			return;
		}
		$queued      = self::queue_of( $order );
		$corrections = array();
		$told        = self::known_by( $queued );
		foreach ( $queued as $id => $entry ) {
			$fields = (array) json_decode( $entry['body'], true );
			if ( 'corrections' === $entry['route'] ) {
				$corrections[ $id ] = $fields;
			}
			if ( 'replaced' !== $entry['state'] ) {
				$told = array_merge( $told, array_intersect_key( $fields, array( 'status' => 1, 'revenue' => 1 ) ) );
			}
		}
		$is_new = false;
		foreach ( Order_Events::of( $order, Settings::get(), time(), $corrections, $told ) as $event ) {
			// Nothing is taken back of an order that was never paid.
			$was_sold = array() !== $queued || $is_new || $order->get_date_paid();
			if ( isset( $queued[ $event['id'] ] ) || ( ! $was_sold && 'corrections' === $event['route'] ) ) {
				continue;
			}
			$entry = array(
				'route'      => $event['route'],
				'body'       => wp_json_encode( $event['fields'] ),
				'state'      => 'waiting',
				'attempts'   => 0,
				'not_before' => 0,
			);
			self::keep( $order, $event['id'], $entry );
			$is_new = true;
		}
		if ( $is_new ) {
			$order->save_meta_data();
			self::schedule( $order->get_id(), 0 );
		}
	}

	/**
	 * Sends what waits of an order, in its order; stops at what must be sent again later.
	 *
	 * @param int $order_id The order's id.
	 */
	public static function run( $order_id ): void {
		$order = wc_get_order( $order_id );
		if ( ! $order ) {
			return;
		}
		foreach ( self::queue_of( $order ) as $id => $entry ) {
			if ( 'waiting' !== $entry['state'] ) {
				continue;
			}
			if ( $entry['not_before'] > time() ) {
				self::schedule( $order->get_id(), $entry['not_before'] - time() );
				return;
			}
			// The next job is there before this one may be killed. Where nothing waits then, it does nothing.
			$is_last = ! isset( self::WAITS[ $entry['attempts'] ] );
			$wait    = $is_last ? Touch::DAY : self::WAITS[ $entry['attempts'] ];
			self::schedule( $order->get_id(), $wait );
			++$entry['attempts'];
			$answer         = self::post( $entry['route'], $entry['body'], $id . '.' . substr( hash( 'sha256', $entry['body'] ), 0, 16 ) );
			$entry['code']  = $answer['code'];
			$entry['state'] = 'waiting' === $answer['state'] && $is_last ? 'dead' : $answer['state'];
			if ( 'waiting' === $entry['state'] ) {
				$entry['not_before'] = time() + max( $wait, min( $answer['retry_after'], Touch::DAY ) );
			}
			self::keep( $order, $id, $entry );
			$order->save_meta_data();
			if ( 'waiting' === $entry['state'] ) {
				return;
			}
			self::note( $order, $id, $entry );
		}
	}

	/**
	 * Sends once more what was refused or given up, as the settings and the order are by now: somebody may have mended them.
	 * A correction is replaced by one of the order's state now, where CAKE was told another one: the order may have changed
	 * since, and a newer correction may be there already.
	 *
	 * @param \WC_Order $order The order.
	 */
	public static function send_again( $order ): void {
		$queued = self::queue_of( $order );
		foreach ( $queued as $id => $entry ) {
			if ( ! in_array( $entry['state'], array( 'refused', 'dead' ), true ) ) {
				continue;
			}
			$entry['state'] = 'replaced';
			if ( 'conversions' === $entry['route'] ) {
				$entry['body']       = wp_json_encode( Order_Events::sale( $order, Settings::get(), time(), self::known_by( $queued ) )['fields'] );
				$entry['state']      = 'waiting';
				$entry['attempts']   = 0;
				$entry['not_before'] = 0;
			}
			self::keep( $order, $id, $entry );
		}
		$order->save_meta_data();
		self::consider( $order->get_id() );
		self::schedule( $order->get_id(), 0 );
	}

	/**
	 * Posts a signed body. `state` is `sent`, `refused` or `waiting`; `code` is the forwarder's, or `network`.
	 *
	 * @param string $route `conversions` or `corrections`.
	 * @param string $body  JSON.
	 * @param string $id    The request's own id, the same for every repetition.
	 */
	public static function post( string $route, string $body, string $id ): array {
		$settings = Settings::get();
		$response = wp_remote_post(
			untrailingslashit( $settings['endpoint'] ) . '/' . $route,
			array(
				'timeout'     => 10,
				'redirection' => 0,
				'headers'     => array( 'content-type' => 'application/json' ) + Signature::headers( $id, time(), $body, Settings::signing_secret() ),
				'body'        => $body,
			)
		);
		return self::read( $response );
	}

	/**
	 * What an answer means. Only the forwarder's own answer about this very event ends it.
	 *
	 * @param array|\WP_Error $response What wp_remote_post() brings.
	 */
	public static function read( $response ): array {
		$answer = array(
			'state'       => 'waiting',
			'code'        => 'network',
			'status'      => 0,
			'retry_after' => 0,
		);
		if ( is_wp_error( $response ) ) {
			return $answer;
		}
		$answer['status'] = (int) wp_remote_retrieve_response_code( $response );
		$body             = json_decode( wp_remote_retrieve_body( $response ), true );
		if ( 202 === $answer['status'] && isset( $body['id'] ) ) {
			return array_merge( $answer, array( 'state' => 'sent', 'code' => '' ) );
		}
		$answer['code']        = isset( $body['error']['code'] ) ? (string) $body['error']['code'] : 'no_forwarder';
		$answer['retry_after'] = (int) wp_remote_retrieve_header( $response, 'retry-after' );
		$is_about_the_event    = in_array( $answer['status'], array( 400, 409, 413 ), true );
		if ( $is_about_the_event && isset( $body['error']['rule'], $body['error']['retryable'] ) && false === $body['error']['retryable'] ) {
			$answer['state'] = 'refused';
		}
		return $answer;
	}

	/**
	 * Keeps an entry of an order's queue, as a text: where orders are posts, WordPress takes the backslashes out of an
	 * array's texts.
	 *
	 * @param \WC_Order $order The order.
	 * @param string    $id    The event's id.
	 * @param array     $entry The entry.
	 */
	private static function keep( $order, string $id, array $entry ): void {
		$order->update_meta_data( self::META . $id, wp_json_encode( $entry ) );
	}

	/**
	 * The queue of an order, by the events' ids, in the order of their queueing.
	 *
	 * @param \WC_Order $order The order.
	 */
	public static function queue_of( $order ): array {
		$queue = array();
		foreach ( $order->get_meta_data() as $meta ) {
			$data = $meta->get_data();
			if ( 0 !== strpos( (string) $data['key'], self::META ) ) {
				continue;
			}
			$entry = is_string( $data['value'] ) ? json_decode( $data['value'], true ) : null;
			if ( is_array( $entry ) ) {
				$queue[ substr( $data['key'], strlen( self::META ) ) ] = $entry;
			}
		}
		return $queue;
	}

	/**
	 * What CAKE was told an order by, or may have been: `offerId` and `uniqueId` of the first event that was not refused.
	 *
	 * @param array $queued The order's queue.
	 */
	private static function known_by( array $queued ): array {
		foreach ( $queued as $entry ) {
			if ( ! in_array( $entry['state'], array( 'refused', 'replaced' ), true ) ) {
				return array_intersect_key( (array) json_decode( $entry['body'], true ), array( 'offerId' => 1, 'uniqueId' => 1 ) );
			}
		}
		return array();
	}

	/**
	 * Starts the job of an order: by Action Scheduler, which WooCommerce has, else by wp-cron.
	 *
	 * @param int $order_id The order's id.
	 * @param int $wait     Seconds.
	 */
	private static function schedule( int $order_id, int $wait ): void {
		if ( function_exists( 'as_schedule_single_action' ) ) {
			as_schedule_single_action( time() + $wait, self::HOOK, array( $order_id ), self::GROUP );
		} else {
			wp_schedule_single_event( time() + $wait, self::HOOK, array( $order_id ) );
		}
	}

	/**
	 * Tells the shop's people in the order's notes.
	 *
	 * @param \WC_Order $order The order.
	 * @param string    $id    The event's id.
	 * @param array     $entry Its entry.
	 */
	private static function note( $order, string $id, array $entry ): void {
		if ( 'sent' === $entry['state'] ) {
			/* translators: %s: the event's id. */
			$text = __( 'CAKE: %s is accepted by the forwarder.', 'cake-edge' );
		} elseif ( 'refused' === $entry['state'] ) {
			/* translators: 1: the event's id, 2: an error code. */
			$text = __( 'CAKE: %1$s is refused by the forwarder (%2$s). Mend it, then choose "Send to CAKE again".', 'cake-edge' );
		} else {
			/* translators: 1: the event's id, 2: an error code. */
			$text = __( 'CAKE: %1$s was given up after several days (%2$s). Choose "Send to CAKE again".', 'cake-edge' );
		}
		$order->add_order_note( sprintf( $text, $id, $entry['code'] ) );
	}
}
