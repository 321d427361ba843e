<?php
/**
 * As much of WordPress and WooCommerce as the plugin calls, in memory.
 *
 * It does not emulate: the database and HPOS (orders live in a variable, or in one JSON file), the loading order of
 * other plugins, users and roles (`$cake_edge_stub['may']` says what the user may), translations, the admin's HTML around
 * the settings page, `sanitize_text_field` beyond tags and white space, page caches, Action Scheduler's runner and
 * wp-cron's clock (a test runs the jobs), WooCommerce's checkout, and its rules of when an order changes its status.
 *
 * @package CakeEdge
 */

// phpcs:disable

define( 'ABSPATH', __DIR__ );
$cake_edge_stub = array(
	'options'     => array(),
	'transients'  => array(),
	'hooks'       => array(),
	'jobs'        => array(),
	'may'         => true,
	'wrong'       => array(),
	'errors'      => array(),
	'http'        => null,
	'has_actions' => true,
);

function add_filter( $name, $call ) {
	global $cake_edge_stub;
	$cake_edge_stub['hooks'][ $name ][] = $call;
}
function add_action( $name, $call, $priority = 10, $accepted_args = 1 ) {
	add_filter( $name, static function ( ...$given ) use ( $call, $accepted_args ) {
		return $call( ...array_slice( $given, 0, $accepted_args ) );
	} );
}
function apply_filters( $name, $value ) {
	global $cake_edge_stub;
	foreach ( $cake_edge_stub['hooks'][ $name ] ?? array() as $call ) {
		$value = $call( $value );
	}
	return $value;
}
function do_action( $name, ...$given ) {
	global $cake_edge_stub;
	foreach ( $cake_edge_stub['hooks'][ $name ] ?? array() as $call ) {
		$call( ...$given );
	}
}
function __return_true() {
	return true;
}
function plugin_basename( $file ) {
	return basename( dirname( $file ) ) . '/' . basename( $file );
}
function get_option( $name, $default = false ) {
	global $cake_edge_stub;
	// The shop's own currency; a buyer may have another.
	return $cake_edge_stub['options'][ $name ] ?? ( 'woocommerce_currency' === $name ? 'USD' : $default );
}
function delete_option( $name ) {
	global $cake_edge_stub;
	unset( $cake_edge_stub['options'][ $name ] );
}
function get_transient( $name ) {
	global $cake_edge_stub;
	return $cake_edge_stub['transients'][ $name ] ?? false;
}
function set_transient( $name, $value, $seconds ) {
	global $cake_edge_stub;
	$cake_edge_stub['transients'][ $name ] = $value;
}
function delete_transient( $name ) {
	global $cake_edge_stub;
	unset( $cake_edge_stub['transients'][ $name ] );
}
function register_setting( $group, $name, $args ) {
	global $cake_edge_stub;
	$cake_edge_stub['settings'][ $name ] = $args;
}
function add_options_page( $title, $menu, $capability, $slug, $print ) {
	global $cake_edge_stub;
	$cake_edge_stub['pages'][ $slug ] = array( $capability, $print );
}
function add_settings_error( $setting, $code, $text ) {
	global $cake_edge_stub;
	$cake_edge_stub['errors'][] = $code;
}
function settings_fields( $group ) {
	echo '<input type="hidden" name="_wpnonce" value="nonce-of-' . esc_attr( $group ) . '">';
}
function wp_nonce_field( $action ) {
	echo '<input type="hidden" name="_wpnonce" value="nonce-of-' . esc_attr( $action ) . '">';
}
function check_admin_referer( $action ) {
	if ( ( $_REQUEST['_wpnonce'] ?? '' ) !== "nonce-of-$action" ) {
		throw new RuntimeException( 'the link has expired' );
	}
}
function current_user_can( $capability ) {
	global $cake_edge_stub;
	return $cake_edge_stub['may'];
}
function wp_die( $text ) {
	throw new RuntimeException( $text );
}
function submit_button( $text = 'Save Changes' ) {
	echo '<input type="submit" value="' . esc_attr( $text ) . '">';
}
function esc_html( $text ) {
	return htmlspecialchars( (string) $text, ENT_QUOTES );
}
function esc_attr( $text ) {
	return esc_html( $text );
}
function esc_url( $text ) {
	return esc_html( $text );
}
function esc_url_raw( $text, $schemes ) {
	return in_array( parse_url( $text, PHP_URL_SCHEME ), $schemes, true ) ? $text : '';
}
function esc_html__( $text ) {
	return esc_html( $text );
}
function __( $text ) {
	return $text;
}
function checked( $value, $other ) {
	return $value === $other ? ' checked' : '';
}
function selected( $value, $other ) {
	return $value === $other ? ' selected' : '';
}
function disabled( $value, $other ) {
	return $value === $other ? ' disabled' : '';
}
function admin_url( $path ) {
	return "https://shop.example/wp-admin/$path";
}
function wp_safe_redirect( $address ) {
	throw new RuntimeException( "redirect $address" );
}
function sanitize_text_field( $text ) {
	return trim( preg_replace( '/\s+/', ' ', strip_tags( $text ) ) );
}
function absint( $value ) {
	return abs( (int) $value );
}
function untrailingslashit( $text ) {
	return rtrim( $text, '/' );
}
function wp_unslash( $text ) {
	return stripslashes( $text );
}
function wp_json_encode( $value ) {
	return json_encode( $value );
}
function wp_salt( $scheme ) {
	return "a salt of 64 characters, as wp-config.php has one for each scheme: $scheme";
}
function wp_generate_uuid4() {
	return bin2hex( random_bytes( 16 ) );
}
function is_ssl() {
	return ( $_SERVER['HTTPS'] ?? '' ) === 'on';
}
function nocache_headers() {
	header( 'Cache-Control: no-cache, must-revalidate, max-age=0, no-store, private' );
}
function _doing_it_wrong( $function, $text, $version ) {
	global $cake_edge_stub;
	$cake_edge_stub['wrong'][] = $text;
}
function wp_unschedule_hook( $hook ) {
	global $cake_edge_stub;
	$cake_edge_stub['jobs'] = array();
}

/** `http` answers, where a test has set it; else the request goes out. */
function wp_remote_post( $url, $args ) {
	global $cake_edge_stub;
	if ( $cake_edge_stub['http'] ) {
		return $cake_edge_stub['http']( $url, $args );
	}
	$lines = array();
	foreach ( $args['headers'] as $name => $value ) {
		$lines[] = "$name: $value";
	}
	$context = stream_context_create(
		array(
			'http' => array(
				'method'          => 'POST',
				'header'          => $lines,
				'content'         => $args['body'],
				'timeout'         => $args['timeout'],
				'follow_location' => 0,
				'ignore_errors'   => true,
			),
		)
	);
	$stream  = @fopen( $url, 'r', false, $context );
	if ( false === $stream ) {
		return new WP_Error();
	}
	$response = array(
		'body'    => stream_get_contents( $stream ),
		'headers' => array(),
		'code'    => 0,
	);
	foreach ( stream_get_meta_data( $stream )['wrapper_data'] as $line ) {
		if ( preg_match( '~^HTTP/\S+ (\d+)~', $line, $found ) ) {
			$response['code'] = (int) $found[1];
		} else {
			list( $name, $value )                            = explode( ':', $line, 2 );
			$response['headers'][ strtolower( $name ) ] = trim( $value );
		}
	}
	return $response;
}
function is_wp_error( $value ) {
	return $value instanceof WP_Error;
}
function wp_remote_retrieve_response_code( $response ) {
	return $response['code'];
}
function wp_remote_retrieve_body( $response ) {
	return $response['body'];
}
function wp_remote_retrieve_header( $response, $name ) {
	return $response['headers'][ $name ] ?? '';
}
class WP_Error {}

/** A job of Action Scheduler's or of wp-cron's. */
function cake_edge_stub_job( $by, $time, $hook, $args ) {
	global $cake_edge_stub;
	$cake_edge_stub['jobs'][] = compact( 'by', 'time', 'hook', 'args' );
}
function wp_schedule_single_event( $time, $hook, $args ) {
	cake_edge_stub_job( 'wp-cron', $time, $hook, $args );
}

function wc_get_logger() {
	return new WC_Logger();
}
class WC_Logger {
	public function error( $text ) {
		global $cake_edge_stub;
		$cake_edge_stub['wrong'][] = $text;
	}
}
/** The currency that a buyer has switched to. */
function get_woocommerce_currency() {
	return 'JPY';
}
function wc_get_order( $id ) {
	return is_object( $id ) ? $id : ( WC_Order::$all[ $id ] ?? false );
}

/** A date as WooCommerce has it. */
class WC_DateTime extends DateTime {}

class WC_Meta_Data {
	private $data;
	public function __construct( $data ) {
		$this->data = $data;
	}
	public function get_data() {
		return $this->data;
	}
}

/** A line, or a refund. */
class WC_Part {
	private $fields;
	public function __construct( $fields ) {
		$this->fields = $fields;
	}
	public function get_id() {
		return $this->fields['id'] ?? 0;
	}
	public function get_total() {
		return $this->fields['total'] ?? '';
	}
}

/** An order, with the fields that WooCommerce's REST API names. */
class WC_Order {
	public static $all = array();
	public $fields;
	public $notes = array();

	public function __construct( array $fields ) {
		$this->fields = $fields + array( 'meta_data' => array() );
	}
	public function get_id() {
		return $this->fields['id'] ?? 0;
	}
	public function get_order_number() {
		return $this->fields['number'] ?? (string) $this->get_id();
	}
	public function get_status() {
		return $this->fields['status'] ?? '';
	}
	public function get_currency() {
		return $this->fields['currency'] ?? '';
	}
	public function get_total() {
		return $this->fields['total'] ?? '';
	}
	public function get_parent_id() {
		return $this->fields['parent_id'] ?? 0;
	}
	public function get_created_via() {
		return $this->fields['created_via'] ?? 'checkout';
	}
	public function get_items() {
		return array_map( array( $this, 'part' ), $this->fields['line_items'] ?? array() );
	}
	public function get_refunds() {
		return array_map( array( $this, 'part' ), $this->fields['refunds'] ?? array() );
	}
	public function get_date_paid() {
		return $this->date( 'date_paid_gmt' );
	}
	public function get_date_completed() {
		return $this->date( 'date_completed_gmt' );
	}
	public function get_date_created() {
		return $this->date( 'date_created_gmt' );
	}
	public function get_meta( $key ) {
		foreach ( $this->fields['meta_data'] as $meta ) {
			if ( $meta['key'] === $key ) {
				return $meta['value'];
			}
		}
		return '';
	}
	public function get_meta_data() {
		$all = array();
		foreach ( $this->fields['meta_data'] as $meta ) {
			$all[] = new WC_Meta_Data( $meta );
		}
		return $all;
	}
	public function update_meta_data( $key, $value ) {
		foreach ( $this->fields['meta_data'] as $index => $meta ) {
			if ( $meta['key'] === $key ) {
				$this->fields['meta_data'][ $index ]['value'] = $value;
				return;
			}
		}
		$this->fields['meta_data'][] = compact( 'key', 'value' );
	}
	public function delete_meta_data( $key ) {
		foreach ( $this->fields['meta_data'] as $index => $meta ) {
			if ( $meta['key'] === $key ) {
				array_splice( $this->fields['meta_data'], $index, 1 );
				return;
			}
		}
	}
	/** As where orders are posts: WooCommerce slashes a text before WordPress unslashes it, but no array. */
	public function save_meta_data() {
		foreach ( $this->fields['meta_data'] as $index => $meta ) {
			if ( is_array( $meta['value'] ) ) {
				array_walk_recursive( $this->fields['meta_data'][ $index ]['value'], function ( &$value ) {
					$value = is_string( $value ) ? stripslashes( $value ) : $value;
				} );
			}
		}
		self::$all[ $this->get_id() ] = $this;
		// With HPOS, meta data that change may save their order.
		do_action( 'woocommerce_update_order', $this->get_id() );
	}
	public function save() {
		$this->save_meta_data();
	}
	public function add_order_note( $text ) {
		$this->notes[] = $text;
	}
	private function part( $fields ) {
		return new WC_Part( $fields );
	}
	private function date( $name ) {
		return empty( $this->fields[ $name ] ) ? null : new WC_DateTime( $this->fields[ $name ], new DateTimeZone( 'UTC' ) );
	}
}
