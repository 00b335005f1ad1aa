package doctor_test

import (
	"idpbridge/doctor"
)

func brokenConnectors() []brokenCase {
	set := func(name string, value any) func(*site) { return func(s *site) { s.fields[name] = value } }
	return []brokenCase{
		{
			name: "account number is a path", code: doctor.AccountNumber, level: doctor.Error,
			text: "not an account number", change: func(s *site) { s.cfg.Account = "1/../../2" },
		},
		{
			name: "account does not exist", code: doctor.ConnectorList, level: doctor.Error,
			text: "404", change: func(s *site) { s.cfg.Account = "999" },
		},
		{
			name: "list of connectors redirects", code: doctor.ConnectorList, level: doctor.Error,
			text: "302",
			change: func(s *site) {
				s.handlers[pathConnectors] = respondWith(302, "text/plain", "", "Location", "https://elsewhere.example/")
			},
		},
		{
			name: "list of connectors is not a list", code: doctor.ConnectorList, level: doctor.Error,
			text: "unknown format",
			change: func(s *site) {
				s.handlers[pathConnectors] = respondWith(200, "application/json", `{"a":1}`)
			},
		},
		{
			name: "no connector", code: doctor.ConnectorFound, level: doctor.Error,
			text: "https://elsewhere.example",
			change: func(s *site) {
				s.fields["issuer"], s.fields["clientId"] = "https://elsewhere.example", "x"
			},
		},
		{
			name: "no such connector", code: doctor.ConnectorFound, level: doctor.Error,
			text: "has no connector for this provider", change: func(s *site) { s.cfg.Connector = "2" },
		},
		{
			name: "deleted connector", code: doctor.ConnectorDeleted, level: doctor.Error,
			text: "deleted", change: func(s *site) { s.connector["deleted"] = true },
		},
		{
			name: "type differs", code: doctor.ConnectorType, level: doctor.Error,
			text: `type is "2"`, change: func(s *site) { s.cfg.ExpectedFields = map[string]string{"type": "1"} },
		},
		{
			name: "PKCE is off", code: doctor.ConnectorPKCE, level: doctor.Error,
			text:   "pkceEnabled",
			change: func(s *site) { s.cfg.ExpectedFields = map[string]string{"pkceEnabled": "true"} },
		},
		{
			name: "display name missing", code: doctor.ConnectorDisplayName, level: doctor.Error,
			text:   "has no Issuer Display Name",
			change: func(s *site) { s.cfg.ExpectedFields = map[string]string{"issuerDisplayName": "Brand"} },
		},
		{
			name: "issuer in the connector has a slash", code: doctor.ConnectorIssuer, level: doctor.Error,
			text: "one extra character", change: set("issuer", issuer+"/"),
		},
		{
			name: "authorization endpoint differs", code: doctor.ConnectorAuthorization, level: doctor.Error,
			text: "dummy.com", change: set("authorizationEndpoint", "https://dummy.com"),
		},
		{
			name: "token endpoint differs", code: doctor.ConnectorToken, level: doctor.Error,
			text: "it ends after", change: set("tokenEndpoint", issuer),
		},
		{
			name: "client ID differs", code: doctor.ConnectorClientID, level: doctor.Error,
			text: `clientId is "liveEngage"`, change: set("clientId", "liveEngage"),
		},
		{
			name: "validation type unknown", code: doctor.ConnectorKeyType, level: doctor.Warn,
			text: "MAGIC", change: set("jwtValidationType", "MAGIC"),
		},
		{
			name: "key differs in one character", code: doctor.ConnectorKey, level: doctor.Error,
			text: "character 200 is '?' and should be '",
			change: func(s *site) {
				line := []byte(keyLine(s.key))
				line[199] = '?'
				s.fields["jwtPublicKey"] = string(line)
			},
		},
		{
			name: "key has BEGIN and END lines", code: doctor.ConnectorKey, level: doctor.Error,
			text: "has BEGIN and END lines", change: func(s *site) { s.fields["jwtPublicKey"] = s.pem },
		},
		{
			name: "key is from the tutorial", code: doctor.ConnectorKey, level: doctor.Error,
			text: "tutorial", change: set("jwtPublicKey", tutorialKey),
		},
		{
			name: "key missing", code: doctor.ConnectorKey, level: doctor.Error,
			text: "empty", change: set("jwtPublicKey", nil),
		},
		{
			name: "consumer delegation", code: doctor.ConnectorKey, level: doctor.Note,
			text: "uses consumer delegation", change: set("jwtPublicKey", "CONSUMER_DELEGATION"),
		},
		{
			name: "key set missing in the connector", code: doctor.ConnectorJWKS, level: doctor.Error,
			text: "has no JWKS Endpoint", change: set("jwtValidationType", "JWKS_ENDPOINT"),
		},
		{
			name: "method name with parentheses", code: doctor.ConnectorJSMethod, level: doctor.Warn,
			text: "not a name in JavaScript", change: set("jsMethodName", "lpGetAuthenticationToken()"),
		},
		{
			name: "method name differs", code: doctor.ConnectorJSMethod, level: doctor.Error,
			text:   `jsMethodName is "lpGetAuthenticationToken", it should be "other"`,
			change: func(s *site) { s.cfg.ExpectedFields = map[string]string{"jsMethodName": "other"} },
		},
		{
			name: "context missing", code: doctor.ConnectorJSContext, level: doctor.Warn,
			text: "the usual value is window", change: set("jsContext", ""),
		},
		{
			name: "RFC compliance is off", code: doctor.ConnectorRFC, level: doctor.Warn,
			text: "adds a query", change: set("rfcCompliance", false),
		},
	}
}
