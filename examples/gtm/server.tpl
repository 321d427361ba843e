___TERMS_OF_SERVICE___

By creating or modifying this file you agree to Google Tag Manager's Community
Template Gallery Developer Terms of Service available at
https://developers.google.com/tag-manager/gallery-tos (or such other URL as
Google may provide), as modified from time to time.


___INFO___

{
  "type": "TAG",
  "id": "cvt_temp_public_id",
  "version": 1,
  "securityGroups": [],
  "displayName": "cake-edge, conversion",
  "categories": [
    "AFFILIATE_MARKETING",
    "CONVERSIONS"
  ],
  "brand": {
    "id": "brand_dummy",
    "displayName": "cake-edge"
  },
  "description": "Posts a sale of a click to your own cake-edge forwarder, signed.",
  "containerContexts": [
    "SERVER"
  ]
}


___TEMPLATE_PARAMETERS___

[
  {
    "type": "TEXT",
    "name": "url",
    "displayName": "Address of the forwarder's conversions",
    "simpleValueType": true,
    "valueHint": "https://shop.example/cake/conversions",
    "help": "The permission \"Sends HTTP requests\" must allow it.",
    "valueValidators": [
      {
        "type": "NON_EMPTY"
      },
      {
        "type": "REGEX",
        "args": [
          "^https://[^/]+/cake/conversions$"
        ],
        "errorMessage": "An https address that ends in /cake/conversions. For another path change this rule and the permission \"Sends HTTP requests\"."
      }
    ]
  },
  {
    "type": "TEXT",
    "name": "offerId",
    "displayName": "Offer id in CAKE",
    "simpleValueType": true,
    "valueValidators": [
      {
        "type": "NON_EMPTY"
      },
      {
        "type": "POSITIVE_NUMBER"
      }
    ]
  },
  {
    "type": "TEXT",
    "name": "clickId",
    "displayName": "Click id",
    "simpleValueType": true,
    "help": "Empty: cake_click_id of the event. An event without one is no sale of a click, and nothing is sent."
  },
  {
    "type": "TEXT",
    "name": "uniqueId",
    "displayName": "Order's own id",
    "simpleValueType": true,
    "help": "Empty: transaction_id of the event."
  },
  {
    "type": "TEXT",
    "name": "revenue",
    "displayName": "Revenue",
    "simpleValueType": true,
    "help": "Empty: value of the event."
  },
  {
    "type": "TEXT",
    "name": "currency",
    "displayName": "Currency of CAKE's revenue",
    "simpleValueType": true,
    "valueHint": "USD",
    "help": "A sale in another currency counts without revenue. Empty: no revenue is sent, and CAKE's own rules say it.",
    "valueValidators": [
      {
        "type": "REGEX",
        "args": [
          "^([A-Z]{3})?$"
        ]
      }
    ]
  }
]


___SANDBOXED_JS_FOR_SERVER___

// Posts a conversion to the forwarder, signed as Standard Webhooks has it. The key is in the file of SGTM_CREDENTIALS,
// under the id cake-edge: {"keys": {"cake-edge": "BASE64"}}, where whsec_BASE64 is the forwarder's secret.
const JSON = require('JSON');
const Math = require('Math');
const getEventData = require('getEventData');
const getTimestampMillis = require('getTimestampMillis');
const hmacSha256 = require('hmacSha256');
const logToConsole = require('logToConsole');
const makeNumber = require('makeNumber');
const makeString = require('makeString');
const sendHttpRequest = require('sendHttpRequest');
const sha256Sync = require('sha256Sync');

const KEY = 'cake-edge';
const ATTEMPTS = 3;

const clickId = data.clickId || getEventData('cake_click_id');
const uniqueId = data.uniqueId || getEventData('transaction_id');
const value = data.revenue || getEventData('value');

// GA4's value is a number, often a sum of floats: 0.1 + 0.2 is 0.30000000000000004. CAKE takes four decimals. Anything else
// but an amount must not lose the sale: it counts without revenue.
const amountOf = function(given) {
  const rounded = Math.round(makeNumber(given) * 10000) / 10000;
  const isAmount = makeString(given).trim() !== '' && rounded >= 0 && rounded < 1000000000;
  return isAmount ? makeString(rounded) : undefined;
};
const codeOf = function(currency) {
  return makeString(currency || '').trim().toUpperCase();
};

const post = function(body, attempt) {
  // The same body has the same id, so that a repetition is known as one.
  const id = 'gtm-' + sha256Sync(body, {outputEncoding: 'hex'});
  const timestamp = makeString(Math.floor(getTimestampMillis() / 1000));
  const signature = hmacSha256(id + '.' + timestamp + '.' + body, KEY, {outputEncoding: 'base64'});
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': 'v1,' + signature
  };
  const again = function(status, reason) {
    logToConsole('cake-edge: not accepted', status, reason);
    if (attempt < ATTEMPTS && (status === 0 || status === 429 || status >= 500)) {
      post(body, attempt + 1);
    } else {
      data.gtmOnFailure();
    }
  };
  sendHttpRequest(data.url, {method: 'POST', headers: headers, timeout: 5000}, body).then(function(response) {
    const answer = JSON.parse(response.body || '') || {};
    if (response.statusCode === 202 && answer.id) {
      data.gtmOnSuccess();
    } else {
      again(response.statusCode, answer.error ? answer.error.code : 'no_forwarder');
    }
  }, function() {
    again(0, 'network');
  });
};

if (!clickId) {
  // A sale of no click.
  data.gtmOnSuccess();
} else {
  const conversion = {clickId: makeString(clickId), offerId: makeNumber(data.offerId), uniqueId: makeString(uniqueId || '')};
  if (codeOf(data.currency) && codeOf(data.currency) === codeOf(getEventData('currency')) && value !== undefined) {
    conversion.revenue = amountOf(value);
    if (!conversion.revenue) {
      logToConsole('cake-edge: without revenue, since the value is no amount');
    }
  }
  post(JSON.stringify(conversion), 1);
}


___SERVER_PERMISSIONS___

[
  {
    "instance": {
      "key": {
        "publicId": "read_event_data",
        "versionId": "1"
      },
      "param": [
        {
          "key": "keyPatterns",
          "value": {
            "type": 2,
            "listItem": [
              {
                "type": 1,
                "string": "cake_click_id"
              },
              {
                "type": 1,
                "string": "transaction_id"
              },
              {
                "type": 1,
                "string": "value"
              },
              {
                "type": 1,
                "string": "currency"
              }
            ]
          }
        },
        {
          "key": "eventDataAccess",
          "value": {
            "type": 1,
            "string": "specific"
          }
        }
      ]
    },
    "clientAnnotations": {
      "isEditedByUser": true
    },
    "isRequired": true
  },
  {
    "instance": {
      "key": {
        "publicId": "send_http",
        "versionId": "1"
      },
      "param": [
        {
          "key": "allowedUrls",
          "value": {
            "type": 1,
            "string": "specific"
          }
        },
        {
          "key": "urls",
          "value": {
            "type": 2,
            "listItem": [
              {
                "type": 1,
                "string": "https://*/cake/conversions"
              }
            ]
          }
        }
      ]
    },
    "clientAnnotations": {
      "isEditedByUser": true
    },
    "isRequired": true
  },
  {
    "instance": {
      "key": {
        "publicId": "use_custom_private_keys",
        "versionId": "1"
      },
      "param": [
        {
          "key": "keyIds",
          "value": {
            "type": 2,
            "listItem": [
              {
                "type": 1,
                "string": "cake-edge"
              }
            ]
          }
        }
      ]
    },
    "clientAnnotations": {
      "isEditedByUser": true
    },
    "isRequired": true
  },
  {
    "instance": {
      "key": {
        "publicId": "logging",
        "versionId": "1"
      },
      "param": [
        {
          "key": "environments",
          "value": {
            "type": 1,
            "string": "debug"
          }
        }
      ]
    },
    "clientAnnotations": {
      "isEditedByUser": true
    },
    "isRequired": true
  }
]


___TESTS___

scenarios:
- name: An accepted conversion succeeds
  code: |-
    let sent;
    mock('getEventData', function(key) {
      return {cake_click_id: 'abc-1', transaction_id: 'ORD-98765', value: 29.35, currency: 'USD'}[key];
    });
    mock('hmacSha256', 'signature');
    mock('sendHttpRequest', function(url, options, body) {
      sent = {url: url, options: options, body: body};
      return {then: function(resolve) { resolve({statusCode: 202, headers: {}, body: '{"id":"x"}'}); }};
    });
    runCode({url: 'https://shop.example/cake/conversions', offerId: '12345', currency: 'USD'});
    assertThat(sent.body).isEqualTo('{"clickId":"abc-1","offerId":12345,"uniqueId":"ORD-98765","revenue":"29.35"}');
    assertThat(sent.options.headers['webhook-signature']).isEqualTo('v1,signature');
    assertApi('gtmOnSuccess').wasCalled();
- name: A sale of no click sends nothing
  code: |-
    mock('getEventData', undefined);
    runCode({url: 'https://shop.example/cake/conversions', offerId: '12345'});
    assertApi('sendHttpRequest').wasNotCalled();
    assertApi('gtmOnSuccess').wasCalled();
- name: Another answer is a failure, after three attempts where it may pass
  code: |-
    let attempts = 0;
    mock('getEventData', 'abc-1');
    mock('hmacSha256', 'signature');
    mock('sendHttpRequest', function() {
      attempts = attempts + 1;
      return {then: function(resolve) { resolve({statusCode: 503, headers: {}, body: ''}); }};
    });
    runCode({url: 'https://shop.example/cake/conversions', offerId: '12345'});
    assertThat(attempts).isEqualTo(3);
    assertApi('gtmOnFailure').wasCalled();
    assertApi('gtmOnSuccess').wasNotCalled();


___NOTES___

Permissions, each for one thing: four keys of the event, one address, one key, and the log of the preview. Narrow the
address to your own host. An answer that is worth another try (a network failure, 429, 5xx) is followed by two more, with a
new signature under the same id. Then the tag fails: use a trigger that fires again, or the shop's webhook beside it.
