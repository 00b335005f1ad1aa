package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"idpbridge/liveengage"
)

// Codes of a connector's fields.
const (
	ConnectorType          Code = "connector-type"
	ConnectorPKCE          Code = "connector-pkce"
	ConnectorIssuer        Code = "connector-issuer"
	ConnectorDisplayName   Code = "connector-display-name"
	ConnectorAuthorization Code = "connector-authorization"
	ConnectorToken         Code = "connector-token"
	ConnectorClientID      Code = "connector-client-id"
	ConnectorKeyType       Code = "connector-key-type"
	ConnectorKey           Code = "connector-key"
	ConnectorJWKS          Code = "connector-jwks"
	ConnectorJSMethod      Code = "connector-js-method"
	ConnectorJSContext     Code = "connector-js-context"
	ConnectorRFC           Code = "connector-rfc"
)

// connectorField is a setting of a connector.
type connectorField struct {
	name   string // in LivePerson's JSON
	code   Code
	label  string // in LivePerson's console
	remedy string // what to do if the value is wrong
	usual  string // the usual value, of those that name something in the brand's page
}

const enterAsShown = "Enter it in the console as the set-up page shows it."

// connectorFields are the settings of a connector, in the order in which they are
// checked.
func connectorFields() []connectorField {
	return []connectorField{
		{
			name: "type", code: ConnectorType, label: "OAuth 2.0 Authentication Type",
			remedy: "Choose implicit or code, whichever your page uses. An account uses the same for the web and for apps.",
		},
		{
			name: "pkceEnabled", code: ConnectorPKCE, label: "PKCE",
			remedy: "Set it as your page needs it: if it is on, the page must pass the code challenge to the authorization " +
				"endpoint.",
		},
		{
			name: "issuerDisplayName", code: ConnectorDisplayName, label: "Issuer Display Name",
			remedy: "Use the same name in the console and in the apps, which select the provider by it.",
		},
		{
			name: "issuer", code: ConnectorIssuer, label: "JWT issuer (iss)",
			remedy: "Enter the provider's issuer exactly. Upper and lower case matter, and so does a slash at the end.",
		},
		{
			name: "authorizationEndpoint", code: ConnectorAuthorization, label: "Authentication Endpoint",
			remedy: enterAsShown,
		},
		{
			name: "tokenEndpoint", code: ConnectorToken, label: "Token Endpoint",
			remedy: enterAsShown,
		},
		{
			name: "clientId", code: ConnectorClientID, label: "Client ID",
			remedy: "Enter the client ID that is registered for LiveEngage in the provider's configuration.",
		},
		{
			name: "jwtValidationType", code: ConnectorKeyType, label: "IDP Certificate Type",
			remedy: "Choose JWKS Endpoint, or paste the key.",
		},
		{
			name: "jwtPublicKey", code: ConnectorKey, label: "JWT Public Key",
			remedy: pasteLine,
		},
		{
			name: "jwksEndpoint", code: ConnectorJWKS, label: "JWKS Endpoint",
			remedy: enterAsShown,
		},
		{
			name: "jsMethodName", code: ConnectorJSMethod, label: "JS Method Name",
			remedy: "Enter the name of the function as your page declares it, without parentheses.",
			usual:  liveengage.DefaultJSMethod,
		},
		{
			name: "jsContext", code: ConnectorJSContext, label: "JS Context",
			remedy: "Enter the object that has the function.",
			usual:  liveengage.DefaultJSContext,
		},
		{
			name: "rfcCompliance", code: ConnectorRFC, label: "RFC compliance",
			remedy: "Ask LivePerson support to set the connector to OAuth 2 RFC. Otherwise the pop-out window sends a " +
				"redirect URI that is not registered.",
		},
	}
}

func findField(name string) connectorField {
	all := connectorFields()
	return all[slices.IndexFunc(all, func(f connectorField) bool { return f.name == name })]
}

// ConnectorFields returns the names that Config.ExpectedFields may have, sorted.
func ConnectorFields() []string {
	var names []string
	for _, f := range connectorFields() {
		names = append(names, f.name)
	}
	slices.Sort(names)
	return names
}

// compareConnector checks the fields of a connector.
func (e *exam) compareConnector(c connector) {
	want := e.expectedFields(c)
	for _, f := range connectorFields() {
		// comparePastedKey compares keys better than this could.
		if want[f.name] != "" && f.name != "jwtPublicKey" {
			e.compareField(c, f, want[f.name])
		}
	}
	e.checkKeySource(c)
	e.checkPageFunction(c, want)
	if rfc, _ := c.fieldValue("rfcCompliance"); rfc == "false" && want["rfcCompliance"] == "" {
		e.addWarning(ConnectorRFC,
			fmt.Sprintf("RFC compliance is off in the connector %s, so the pop-out window adds a query to its redirect URI.",
				c.label()),
			findField("rfcCompliance").remedy)
	}
}

// expectedFields returns the values that the fields must have: those that were
// given, and those that the provider has in its discovery document.
func (e *exam) expectedFields(c connector) map[string]string {
	want := map[string]string{
		"issuer":                e.cfg.Issuer,
		"clientId":              e.cfg.ClientID,
		"authorizationEndpoint": e.meta.AuthorizationEndpoint,
	}
	if e.usesCode() {
		want["tokenEndpoint"] = e.meta.TokenEndpoint
	}
	if validation, _ := c.fieldValue("jwtValidationType"); validation == string(liveengage.KeyTypeJWKS) {
		want["jwksEndpoint"] = e.meta.JWKSURI
	}
	maps.Copy(want, e.cfg.ExpectedFields)
	return want
}

func (e *exam) compareField(c connector, f connectorField, want string) {
	const maxShown, minCompared = 120, 12
	got, _ := c.fieldValue(f.name)
	if got == want {
		e.addOK(f.code, fmt.Sprintf("The connector %s has the right %s.", c.label(), f.label))
		return
	}
	if got == "" {
		e.addError(f.code, fmt.Sprintf("The connector %s has no %s.", c.label(), f.label), f.remedy,
			fmt.Sprintf("%s should be %q", f.name, e.sanitize(want, maxShown)))
		return
	}
	sentence := fmt.Sprintf("The connector %s has the wrong %s", c.label(), f.label)
	if max(len(got), len(want)) >= minCompared {
		sentence += ": " + describeDifference(got, want)
	}
	e.addError(f.code, sentence+".", f.remedy,
		fmt.Sprintf("%s is %q, it should be %q", f.name, e.sanitize(got, maxShown), e.sanitize(want, maxShown)))
}

// checkKeySource checks how LivePerson verifies tokens: with the key set, or with a
// key that was pasted.
func (e *exam) checkKeySource(c connector) {
	pasted, _ := c.fieldValue("jwtPublicKey")
	if pasted == liveengage.DelegationKey {
		e.addNote(ConnectorKey,
			fmt.Sprintf("The connector %s uses consumer delegation, so it does not verify this provider's tokens.", c.label()),
			"Nothing to do if that is intended.")
		return
	}
	validation, _ := c.fieldValue("jwtValidationType")
	if validation == string(liveengage.KeyTypeJWKS) {
		e.addOK(ConnectorKeyType,
			fmt.Sprintf("The connector %s uses the key set, so LivePerson finds new keys itself.", c.label()))
		return
	}
	if validation != "" && validation != string(liveengage.KeyTypePasted) {
		e.addWarning(ConnectorKeyType,
			fmt.Sprintf("The connector %s verifies tokens in an unknown way: %q.", c.label(), validation),
			findField("jwtValidationType").remedy)
		return
	}
	if len(e.keys) == 0 {
		e.addSkip(ConnectorKey, "The key in the connector was not compared, because the key set has no usable key.",
			fixKeySet)
		return
	}
	e.comparePastedKey(ConnectorKey, "The key in the connector "+c.label(), pasted)
}

// checkPageFunction checks the fields by which the chat finds the identity function
// of the brand's page, if no value was given to compare them with.
func (e *exam) checkPageFunction(c connector, want map[string]string) {
	const maxShown = 60
	for _, f := range connectorFields() {
		if f.usual == "" || want[f.name] != "" {
			continue
		}
		got, _ := c.fieldValue(f.name)
		if got == "" {
			e.addWarning(f.code,
				fmt.Sprintf("The connector %s has no %s, so chat embedded in a page finds no identity function.",
					c.label(), f.label),
				f.remedy, "the usual value is "+f.usual)
		} else if !isScriptName(got) {
			e.addWarning(f.code,
				fmt.Sprintf("The connector %s has the %s %q, which is not a name in JavaScript.",
					c.label(), f.label, e.sanitize(got, maxShown)),
				f.remedy, "the usual value is "+f.usual)
		} else {
			e.addNote(f.code, fmt.Sprintf("The connector %s has the %s %s.", c.label(), f.label, got),
				"Make sure that your pages define it in the global scope.")
		}
	}
}

// isScriptName reports whether a string can name something in a page: letters,
// digits, _, $ and dots, but no parentheses or spaces.
func isScriptName(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("_$.", r)
	})
}
