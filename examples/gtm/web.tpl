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
  "displayName": "cake-edge",
  "categories": [
    "AFFILIATE_MARKETING",
    "CONVERSIONS"
  ],
  "brand": {
    "id": "brand_dummy",
    "displayName": "cake-edge"
  },
  "description": "Affiliate tracking for CAKE: keeps the click id of a landing, and reports conversions to your own forwarder. The tag comes from your own host.",
  "containerContexts": [
    "WEB"
  ]
}


___TEMPLATE_PARAMETERS___

[
  {
    "type": "SELECT",
    "name": "action",
    "displayName": "What this tag does",
    "macrosInSelect": false,
    "simpleValueType": true,
    "defaultValue": "load",
    "selectItems": [
      {
        "value": "load",
        "displayValue": "Loads the tracker (on every page)"
      },
      {
        "value": "convert",
        "displayValue": "Reports a conversion (on the thank-you page)"
      },
      {
        "value": "consent",
        "displayValue": "Says what the visitor has said"
      }
    ]
  },
  {
    "type": "GROUP",
    "name": "loading",
    "displayName": "Tracker",
    "groupStyle": "NO_ZIPPY",
    "enablingConditions": [
      {
        "paramName": "action",
        "paramValue": "load",
        "type": "EQUALS"
      }
    ],
    "subParams": [
      {
        "type": "TEXT",
        "name": "src",
        "displayName": "Address of cake-edge.js on your own site",
        "simpleValueType": true,
        "valueHint": "https://shop.example/js/cake-edge.js",
        "help": "Copy the files of cake-edge's dist/page to this folder. The permission \"Injects scripts\" must allow the address.",
        "valueValidators": [
          {
            "type": "NON_EMPTY"
          },
          {
            "type": "REGEX",
            "args": [
              "^https://[^/]+/js/cake-edge\\.js(\\?.*)?$"
            ],
            "errorMessage": "An https address that ends in /js/cake-edge.js. For another folder change this rule and the permission \"Injects scripts\"."
          }
        ]
      },
      {
        "type": "SELECT",
        "name": "consent",
        "displayName": "Consent",
        "macrosInSelect": true,
        "simpleValueType": true,
        "defaultValue": "mode",
        "selectItems": [
          {
            "value": "mode",
            "displayValue": "Follows Google's consent mode (ad_storage)"
          },
          {
            "value": "granted",
            "displayValue": "Is not needed"
          },
          {
            "value": "pending",
            "displayValue": "Waits for a tag that says it"
          },
          {
            "value": "denied",
            "displayValue": "Is denied"
          }
        ]
      },
      {
        "type": "SIMPLE_TABLE",
        "name": "options",
        "displayName": "Options of the tracker",
        "help": "By their names in docs/page.md, such as endpoint, windowDays, touch.",
        "simpleTableColumns": [
          {
            "type": "TEXT",
            "name": "name",
            "displayName": "Name",
            "defaultValue": "",
            "isUnique": true
          },
          {
            "type": "TEXT",
            "name": "value",
            "displayName": "Value",
            "defaultValue": ""
          }
        ]
      }
    ]
  },
  {
    "type": "GROUP",
    "name": "conversion",
    "displayName": "Conversion",
    "groupStyle": "NO_ZIPPY",
    "enablingConditions": [
      {
        "paramName": "action",
        "paramValue": "convert",
        "type": "EQUALS"
      }
    ],
    "subParams": [
      {
        "type": "TEXT",
        "name": "offerId",
        "displayName": "Offer id in CAKE",
        "simpleValueType": true,
        "valueValidators": [
          {
            "type": "NON_EMPTY"
          }
        ]
      },
      {
        "type": "TEXT",
        "name": "orderId",
        "displayName": "Order id",
        "simpleValueType": true,
        "help": "A variable with the order's own reference. Without one, two orders on one address count once."
      },
      {
        "type": "TEXT",
        "name": "uniqueId",
        "displayName": "Unique id",
        "simpleValueType": true,
        "help": "Only where it is not to be made of click id and order id: the order's own id, where a server reports the order too. Leave the order id empty then."
      }
    ]
  },
  {
    "type": "GROUP",
    "name": "answer",
    "displayName": "Consent",
    "groupStyle": "NO_ZIPPY",
    "enablingConditions": [
      {
        "paramName": "action",
        "paramValue": "consent",
        "type": "EQUALS"
      }
    ],
    "subParams": [
      {
        "type": "TEXT",
        "name": "said",
        "displayName": "granted, denied or pending",
        "simpleValueType": true,
        "valueValidators": [
          {
            "type": "NON_EMPTY"
          }
        ],
        "help": "Or true and false, from your consent platform's variable."
      }
    ]
  },
  {
    "type": "GROUP",
    "name": "dataLayer",
    "displayName": "Data layer",
    "groupStyle": "NO_ZIPPY",
    "enablingConditions": [
      {
        "paramName": "action",
        "paramValue": "load",
        "type": "EQUALS"
      },
      {
        "paramName": "action",
        "paramValue": "consent",
        "type": "EQUALS"
      }
    ],
    "subParams": [
      {
        "type": "CHECKBOX",
        "name": "tellDataLayer",
        "checkboxText": "Put the click id into the data layer, as cake_click_id of the event cake_click",
        "simpleValueType": true,
        "defaultValue": false,
        "help": "For a server container. The id leaves the page with every tag that sends it on. A tag that says what the visitor has said needs it as well: an earlier page's click is known from then on."
      }
    ]
  }
]


___SANDBOXED_JS_FOR_WEB_TEMPLATE___

// Loads cake-edge's tag and calls it. Every rule is the tag's own: what is given here is handed on as it is.
const addConsentListener = require('addConsentListener');
const callInWindow = require('callInWindow');
const copyFromWindow = require('copyFromWindow');
const createArgumentsQueue = require('createArgumentsQueue');
const createQueue = require('createQueue');
const getType = require('getType');
const injectScript = require('injectScript');
const isConsentGranted = require('isConsentGranted');
const setInWindow = require('setInWindow');

// The page's own snippet, or the tag, may be there before.
if (getType(copyFromWindow('cakeEdge')) !== 'function') {
  createArgumentsQueue('cakeEdge', 'cakeEdge.q');
}

const say = function(said) {
  callInWindow('cakeEdge', function(tracker) {
    tracker.setConsent(said);
  });
};

let told;
// A click of an earlier page is known once the visitor has agreed, which may be after this tag has fired.
const tellDataLayer = function() {
  if (data.tellDataLayer) {
    callInWindow('cakeEdge', function(tracker) {
      if (tracker.clickId && tracker.clickId !== told) {
        told = tracker.clickId;
        createQueue('dataLayer')({event: 'cake_click', cake_click_id: told});
      }
    });
  }
};

const load = function() {
  const options = {};
  (data.options || []).forEach(function(row) {
    options[row.name] = row.value;
  });
  options.consent = data.consent;
  if (data.consent === 'mode') {
    // Not granted may be "not yet": the first change says which. Nothing is stored or sent until then.
    options.consent = isConsentGranted('ad_storage') ? 'granted' : 'pending';
    addConsentListener('ad_storage', function(type, isGranted) {
      say(isGranted ? 'granted' : 'denied');
      tellDataLayer();
    });
  }
  setInWindow('cakeEdge.options', options, true);
  tellDataLayer();
  injectScript(data.src, data.gtmOnSuccess, data.gtmOnFailure, 'cake-edge');
};

const convert = function() {
  const conversion = {offerId: data.offerId, orderId: data.orderId, uniqueId: data.uniqueId};
  callInWindow('cakeEdge', function(tracker) {
    tracker.convert(conversion);
  });
};

if (data.action === 'load') {
  load();
} else {
  if (data.action === 'convert') {
    convert();
  } else {
    say(data.said);
    tellDataLayer();
  }
  data.gtmOnSuccess();
}


___WEB_PERMISSIONS___

[
  {
    "instance": {
      "key": {
        "publicId": "access_globals",
        "versionId": "1"
      },
      "param": [
        {
          "key": "keys",
          "value": {
            "type": 2,
            "listItem": [
              {
                "type": 3,
                "mapKey": [
                  {
                    "type": 1,
                    "string": "key"
                  },
                  {
                    "type": 1,
                    "string": "read"
                  },
                  {
                    "type": 1,
                    "string": "write"
                  },
                  {
                    "type": 1,
                    "string": "execute"
                  }
                ],
                "mapValue": [
                  {
                    "type": 1,
                    "string": "cakeEdge"
                  },
                  {
                    "type": 8,
                    "boolean": true
                  },
                  {
                    "type": 8,
                    "boolean": true
                  },
                  {
                    "type": 8,
                    "boolean": true
                  }
                ]
              },
              {
                "type": 3,
                "mapKey": [
                  {
                    "type": 1,
                    "string": "key"
                  },
                  {
                    "type": 1,
                    "string": "read"
                  },
                  {
                    "type": 1,
                    "string": "write"
                  },
                  {
                    "type": 1,
                    "string": "execute"
                  }
                ],
                "mapValue": [
                  {
                    "type": 1,
                    "string": "cakeEdge.q"
                  },
                  {
                    "type": 8,
                    "boolean": true
                  },
                  {
                    "type": 8,
                    "boolean": true
                  },
                  {
                    "type": 8,
                    "boolean": false
                  }
                ]
              },
              {
                "type": 3,
                "mapKey": [
                  {
                    "type": 1,
                    "string": "key"
                  },
                  {
                    "type": 1,
                    "string": "read"
                  },
                  {
                    "type": 1,
                    "string": "write"
                  },
                  {
                    "type": 1,
                    "string": "execute"
                  }
                ],
                "mapValue": [
                  {
                    "type": 1,
                    "string": "cakeEdge.options"
                  },
                  {
                    "type": 8,
                    "boolean": true
                  },
                  {
                    "type": 8,
                    "boolean": true
                  },
                  {
                    "type": 8,
                    "boolean": false
                  }
                ]
              },
              {
                "type": 3,
                "mapKey": [
                  {
                    "type": 1,
                    "string": "key"
                  },
                  {
                    "type": 1,
                    "string": "read"
                  },
                  {
                    "type": 1,
                    "string": "write"
                  },
                  {
                    "type": 1,
                    "string": "execute"
                  }
                ],
                "mapValue": [
                  {
                    "type": 1,
                    "string": "dataLayer"
                  },
                  {
                    "type": 8,
                    "boolean": true
                  },
                  {
                    "type": 8,
                    "boolean": true
                  },
                  {
                    "type": 8,
                    "boolean": false
                  }
                ]
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
        "publicId": "access_consent",
        "versionId": "1"
      },
      "param": [
        {
          "key": "consentTypes",
          "value": {
            "type": 2,
            "listItem": [
              {
                "type": 3,
                "mapKey": [
                  {
                    "type": 1,
                    "string": "consentType"
                  },
                  {
                    "type": 1,
                    "string": "read"
                  },
                  {
                    "type": 1,
                    "string": "write"
                  }
                ],
                "mapValue": [
                  {
                    "type": 1,
                    "string": "ad_storage"
                  },
                  {
                    "type": 8,
                    "boolean": true
                  },
                  {
                    "type": 8,
                    "boolean": false
                  }
                ]
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
        "publicId": "inject_script",
        "versionId": "1"
      },
      "param": [
        {
          "key": "urls",
          "value": {
            "type": 2,
            "listItem": [
              {
                "type": 1,
                "string": "https://*/js/cake-edge.js"
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
  }
]


___TESTS___

scenarios:
- name: It loads the tag from the site's own host
  code: |-
    mock('copyFromWindow', undefined);
    mock('isConsentGranted', true);
    mock('injectScript', function(url, onSuccess) { onSuccess(); });
    runCode({action: 'load', consent: 'mode', src: 'https://shop.example/js/cake-edge.js'});
    assertApi('injectScript').wasCalled();
    assertApi('gtmOnSuccess').wasCalled();
- name: Without consent nothing is kept until the visitor says so
  code: |-
    let options;
    mock('copyFromWindow', undefined);
    mock('isConsentGranted', false);
    mock('setInWindow', function(key, value) { options = value; });
    mock('injectScript', function(url, onSuccess) { onSuccess(); });
    runCode({action: 'load', consent: 'mode', src: 'https://shop.example/js/cake-edge.js'});
    assertThat(options.consent).isEqualTo('pending');
    assertApi('addConsentListener').wasCalled();
- name: A file that cannot be loaded is a failure
  code: |-
    mock('copyFromWindow', undefined);
    mock('injectScript', function(url, onSuccess, onFailure) { onFailure(); });
    runCode({action: 'load', consent: 'granted', src: 'https://shop.example/js/cake-edge.js'});
    assertApi('gtmOnFailure').wasCalled();
    assertApi('gtmOnSuccess').wasNotCalled();
- name: A conversion is handed to the tracker as it is
  code: |-
    let conversion;
    mock('copyFromWindow', function() { return function() {}; });
    mock('callInWindow', function(name, use) {
      use({convert: function(given) { conversion = given; }});
    });
    runCode({action: 'convert', offerId: '12345', orderId: 'ORD-98765'});
    assertThat(conversion.orderId).isEqualTo('ORD-98765');
    assertApi('gtmOnSuccess').wasCalled();
    assertApi('injectScript').wasNotCalled();


___NOTES___

Permissions, each for one thing: cakeEdge and cakeEdge.q for the calls, cakeEdge.options for the options, dataLayer for
the click id where it is asked for, ad_storage to be read, and one script. Narrow the script's address to your own host.

The tag succeeds when it has handed a conversion to the tracker, which sends it until the forwarder answers. A page tells
no amounts: a backend does, or the server template.
