<?php
/**
 * Settings: what the site has chosen, and the page where it is chosen. Secrets may stand in wp-config.php instead, and
 * are never printed.
 *
 * @package CakeEdge
 */

namespace CakeEdge;

defined( 'ABSPATH' ) || exit;

/**
 * One option, `cake_edge`.
 */
final class Settings {
	const OPTION = 'cake_edge';
	const PAGE   = 'cake-edge';

	const DEFAULTS = array(
		'endpoint'       => '',
		'signing_secret' => '',
		'offer_id'       => 0,
		'currency'       => '',
		'revenue'        => 'total',
		'unique_id'      => 'id',
		'id_prefix'      => '',
		'recurring'      => false,
		'time_zone'      => '',
		'consent'        => 'granted',
	);

	/** The settings that are one of a few words. */
	const CHOICES = array(
		'revenue'   => array( 'total', 'subtotal', 'none' ),
		'unique_id' => array( 'id', 'number' ),
		'consent'   => array( 'granted', 'pending', 'denied' ),
	);

	/**
	 * The settings with their defaults.
	 */
	public static function get(): array {
		$settings = array_merge( self::DEFAULTS, (array) get_option( self::OPTION, array() ) );
		if ( '' === $settings['currency'] ) {
			// Plugins that switch currencies filter get_woocommerce_currency(): in a buyer's request it is the buyer's.
			$settings['currency'] = (string) get_option( 'woocommerce_currency', '' );
		}
		return $settings;
	}

	/**
	 * Is there all that a conversion needs?
	 */
	public static function is_complete(): bool {
		$settings = self::get();
		return '' !== $settings['endpoint'] && $settings['offer_id'] > 0 && null !== Signature::key_of( self::signing_secret() );
	}

	/**
	 * The secret that signs requests: from wp-config.php, else from the settings.
	 */
	public static function signing_secret(): string {
		return defined( 'CAKE_EDGE_SIGNING_SECRET' ) ? (string) CAKE_EDGE_SIGNING_SECRET : (string) self::get()['signing_secret'];
	}

	/**
	 * The secrets of the cookie: from wp-config.php, where the forwarder or a Worker shares them, else made of the site's
	 * own salt.
	 *
	 * @return string[]
	 */
	public static function cookie_secrets(): array {
		if ( defined( 'CAKE_EDGE_COOKIE_SECRETS' ) ) {
			return (array) CAKE_EDGE_COOKIE_SECRETS;
		}
		return array( hash_hmac( 'sha256', 'cake-edge cookie', wp_salt( 'auth' ) ) );
	}

	/**
	 * Registers the option, in the hook `admin_init`.
	 */
	public static function register(): void {
		register_setting(
			self::PAGE,
			self::OPTION,
			array(
				'type'              => 'array',
				'sanitize_callback' => array( __CLASS__, 'sanitize' ),
				'default'           => array(),
			)
		);
	}

	/**
	 * Adds the page, in the hook `admin_menu`.
	 */
	public static function add_page(): void {
		add_options_page( __( 'cake-edge', 'cake-edge' ), __( 'cake-edge', 'cake-edge' ), 'manage_options', self::PAGE, array( __CLASS__, 'print_page' ) );
	}

	/**
	 * What the form has sent, as far as it is fit to be kept. An empty secret keeps the one that is there.
	 *
	 * @param mixed $given The form's fields.
	 */
	public static function sanitize( $given ): array {
		$given    = is_array( $given ) ? $given : array();
		$stored   = array_merge( self::DEFAULTS, (array) get_option( self::OPTION, array() ) );
		$settings = self::DEFAULTS;
		$text     = static function ( $name ) use ( $given ) {
			return isset( $given[ $name ] ) && is_scalar( $given[ $name ] ) ? sanitize_text_field( (string) $given[ $name ] ) : '';
		};

		$settings['endpoint'] = untrailingslashit( esc_url_raw( $text( 'endpoint' ), array( 'https', 'http' ) ) );
		if ( '' !== $settings['endpoint'] && 1 !== preg_match( '~^https://|^http://(?:127\.0\.0\.1|localhost)[:/]~', $settings['endpoint'] ) ) {
			self::complain( 'endpoint', __( 'The forwarder\'s address must start with https://.', 'cake-edge' ) );
			$settings['endpoint'] = $stored['endpoint'];
		}
		$settings['offer_id'] = absint( $text( 'offer_id' ) );
		$settings['currency'] = strtoupper( $text( 'currency' ) );
		if ( 1 !== preg_match( '/^(?:[A-Z]{3})?$/D', $settings['currency'] ) ) {
			self::complain( 'currency', __( 'A currency has three letters, such as USD.', 'cake-edge' ) );
			$settings['currency'] = $stored['currency'];
		}
		foreach ( self::CHOICES as $name => $words ) {
			$settings[ $name ] = in_array( $text( $name ), $words, true ) ? $text( $name ) : self::DEFAULTS[ $name ];
		}
		$settings['id_prefix'] = $text( 'id_prefix' );
		if ( 1 !== preg_match( '/^(?:[A-Za-z0-9_.-]{0,31}[A-Za-z_.-])?$/D', $settings['id_prefix'] ) ) {
			self::complain( 'id_prefix', __( 'A prefix has letters, digits, ., _ and -, at most 32, and no digit at its end, such as b-.', 'cake-edge' ) );
			$settings['id_prefix'] = $stored['id_prefix'];
		}
		$settings['recurring'] = '1' === $text( 'recurring' );
		$settings['time_zone'] = $text( 'time_zone' );
		if ( '' !== $settings['time_zone'] && ! in_array( $settings['time_zone'], timezone_identifiers_list( \DateTimeZone::ALL_WITH_BC ), true ) ) {
			self::complain( 'time_zone', __( 'There is no such time zone. Use a name such as America/New_York.', 'cake-edge' ) );
			$settings['time_zone'] = $stored['time_zone'];
		}
		$settings['signing_secret'] = '' === $text( 'signing_secret' ) ? $stored['signing_secret'] : $text( 'signing_secret' );
		if ( '' !== $settings['signing_secret'] && null === Signature::key_of( $settings['signing_secret'] ) ) {
			self::complain( 'signing_secret', __( 'The signing secret must be whsec_ and at least 24 bytes in base64: openssl rand -base64 32.', 'cake-edge' ) );
			$settings['signing_secret'] = $stored['signing_secret'];
		}
		return $settings;
	}

	/**
	 * Prints the page.
	 */
	public static function print_page(): void {
		if ( ! current_user_can( 'manage_options' ) ) {
			wp_die( esc_html__( 'You may not change these settings.', 'cake-edge' ) );
		}
		$settings   = array_merge( self::DEFAULTS, (array) get_option( self::OPTION, array() ) );
		$is_in_file = defined( 'CAKE_EDGE_SIGNING_SECRET' );
		$has_secret = '' !== self::signing_secret();
		$checked    = get_transient( 'cake_edge_checked' );
		echo '<div class="wrap"><h1>' . esc_html__( 'cake-edge', 'cake-edge' ) . '</h1>';
		if ( is_string( $checked ) && '' !== $checked ) {
			delete_transient( 'cake_edge_checked' );
			echo '<div class="notice notice-info"><p>' . esc_html( $checked ) . '</p></div>';
		}
		echo '<form method="post" action="' . esc_url( admin_url( 'options.php' ) ) . '">';
		settings_fields( self::PAGE );
		echo '<table class="form-table" role="presentation">';
		self::print_row( 'endpoint', __( 'Address of the forwarder', 'cake-edge' ), self::input( 'endpoint', 'url', $settings['endpoint'] ), __( 'Such as https://shop.example/cake', 'cake-edge' ) );
		$secret_help = $is_in_file
			? __( 'Set in wp-config.php as CAKE_EDGE_SIGNING_SECRET.', 'cake-edge' )
			: ( $has_secret ? __( 'A secret is set. Leave this empty to keep it.', 'cake-edge' ) : __( 'One of the forwarder\'s CAKE_SIGNING_SECRETS.', 'cake-edge' ) );
		self::print_row( 'signing_secret', __( 'Signing secret', 'cake-edge' ), self::input( 'signing_secret', 'password', '', $is_in_file ), $secret_help );
		self::print_row( 'offer_id', __( 'Offer id', 'cake-edge' ), self::input( 'offer_id', 'number', $settings['offer_id'] > 0 ? (string) $settings['offer_id'] : '' ), __( 'The offer in CAKE that the sales belong to.', 'cake-edge' ) );
		self::print_row( 'currency', __( 'Currency of CAKE\'s revenue', 'cake-edge' ), self::input( 'currency', 'text', $settings['currency'] ), __( 'Empty for the shop\'s own. An order in another currency counts without revenue.', 'cake-edge' ) );
		self::print_row(
			'revenue',
			__( 'Revenue', 'cake-edge' ),
			self::select(
				'revenue',
				$settings['revenue'],
				array(
					'total'    => __( 'All that was paid', 'cake-edge' ),
					'subtotal' => __( 'The goods, without tax and shipping', 'cake-edge' ),
					'none'     => __( 'CAKE\'s own rules say it', 'cake-edge' ),
				)
			)
		);
		self::print_row(
			'unique_id',
			__( 'Unique id', 'cake-edge' ),
			self::select(
				'unique_id',
				$settings['unique_id'],
				array(
					'id'     => __( 'The order\'s id', 'cake-edge' ),
					'number' => __( 'The order\'s number', 'cake-edge' ),
				)
			)
		);
		self::print_row( 'id_prefix', __( 'Prefix of unique ids', 'cake-edge' ), self::input( 'id_prefix', 'text', $settings['id_prefix'] ), __( 'Where several shops share a forwarder: such as b-. Do not change it in a shop that sells.', 'cake-edge' ) );
		self::print_row( 'recurring', __( 'Subscriptions', 'cake-edge' ), '<input type="checkbox" id="cake-edge-recurring" name="cake_edge[recurring]" value="1"' . checked( $settings['recurring'], true, false ) . '>', __( 'Later payments count as well.', 'cake-edge' ) );
		self::print_row( 'time_zone', __( 'Time zone of the CAKE account', 'cake-edge' ), self::input( 'time_zone', 'text', $settings['time_zone'] ), __( 'The same as the forwarder\'s, such as America/New_York. Empty: CAKE dates a sale when it arrives.', 'cake-edge' ) );
		self::print_row(
			'consent',
			__( 'Without a consent plugin', 'cake-edge' ),
			self::select(
				'consent',
				$settings['consent'],
				array(
					'granted' => __( 'Clicks are kept', 'cake-edge' ),
					'pending' => __( 'Nothing is stored', 'cake-edge' ),
					'denied'  => __( 'What was stored is deleted', 'cake-edge' ),
				)
			),
			__( 'A plugin with the WP Consent API answers for each visitor. Global Privacy Control is always honoured.', 'cake-edge' )
		);
		echo '</table>';
		submit_button();
		echo '</form><form method="post" action="' . esc_url( admin_url( 'admin-post.php' ) ) . '">';
		echo '<input type="hidden" name="action" value="cake_edge_check">';
		wp_nonce_field( 'cake_edge_check' );
		submit_button( __( 'Check the connection', 'cake-edge' ), 'secondary' );
		echo '</form></div>';
	}

	/**
	 * Asks the forwarder whether it takes the secret, and goes back to the page.
	 */
	public static function check_connection(): void {
		if ( ! current_user_can( 'manage_options' ) ) {
			wp_die( esc_html__( 'You may not change these settings.', 'cake-edge' ), '', array( 'response' => 403 ) );
		}
		check_admin_referer( 'cake_edge_check' );
		set_transient( 'cake_edge_checked', self::connection(), 60 );
		wp_safe_redirect( admin_url( 'options-general.php?page=' . self::PAGE ) );
		exit;
	}

	/**
	 * What the forwarder says of a signed request that cannot be a conversion.
	 */
	public static function connection(): string {
		if ( ! self::is_complete() ) {
			return __( 'FAIL: address, offer id and signing secret are needed.', 'cake-edge' );
		}
		$answer = Delivery::post( 'conversions', '{}', 'check-' . wp_generate_uuid4() );
		if ( 'refused' === $answer['state'] ) {
			return __( 'PASS: the forwarder answers, and takes the secret.', 'cake-edge' );
		}
		/* translators: 1: an HTTP status, 2: an error code. */
		$text = __( 'FAIL: the forwarder does not take the request (status %1$d, %2$s).', 'cake-edge' );
		if ( 'signature_refused' === $answer['code'] ) {
			/* translators: 1: an HTTP status, 2: an error code. */
			$text = __( 'FAIL: the forwarder has another secret, or the clocks differ by more than five minutes (status %1$d, %2$s).', 'cake-edge' );
		}
		return sprintf( $text, $answer['status'], $answer['code'] );
	}

	/**
	 * Shows a complaint above the form.
	 *
	 * @param string $name The setting.
	 * @param string $text What is wrong, and what to do.
	 */
	private static function complain( string $name, string $text ): void {
		add_settings_error( self::OPTION, "cake_edge_$name", $text );
	}

	/**
	 * An input field, escaped.
	 *
	 * @param string $name        The setting.
	 * @param string $type        The input's type.
	 * @param string $value       Its value; never a secret.
	 * @param bool   $is_disabled Is it set elsewhere?
	 */
	private static function input( string $name, string $type, string $value, bool $is_disabled = false ): string {
		return '<input class="regular-text" autocomplete="off" type="' . esc_attr( $type ) . '" id="' . esc_attr( "cake-edge-$name" ) . '" name="' . esc_attr( "cake_edge[$name]" ) . '" value="' . esc_attr( $value ) . '"' . disabled( $is_disabled, true, false ) . '>';
	}

	/**
	 * A choice, escaped.
	 *
	 * @param string $name  The setting.
	 * @param string $value What is chosen.
	 * @param array  $words The labels by their values.
	 */
	private static function select( string $name, string $value, array $words ): string {
		$options = '';
		foreach ( $words as $word => $label ) {
			$options .= '<option value="' . esc_attr( $word ) . '"' . selected( $value, $word, false ) . '>' . esc_html( $label ) . '</option>';
		}
		return '<select id="' . esc_attr( "cake-edge-$name" ) . '" name="' . esc_attr( "cake_edge[$name]" ) . '">' . $options . '</select>';
	}

	/**
	 * Prints a row of the form.
	 *
	 * @param string $name  The setting.
	 * @param string $label Its label.
	 * @param string $field The field's HTML, from {@see Settings::input()} or {@see Settings::select()}, which escape.
	 * @param string $help  What to enter.
	 */
	private static function print_row( string $name, string $label, string $field, string $help = '' ): void {
		echo '<tr><th scope="row"><label for="' . esc_attr( "cake-edge-$name" ) . '">' . esc_html( $label ) . '</label></th><td>';
		echo $field; // phpcs:ignore WordPress.Security.EscapeOutput.OutputNotEscaped -- escaped where it is made.
		if ( '' !== $help ) {
			echo '<p class="description">' . esc_html( $help ) . '</p>';
		}
		echo '</td></tr>';
	}
}
