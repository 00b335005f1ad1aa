package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"idpbridge/liveengage"
	"idpbridge/liveengage/setup"
)

// field is a setting of a connector: its name in LivePerson's JSON, what the
// console calls it, and what to do where it is wrong.
type field struct {
	code        Code
	label, help string
}

func connectorFields() map[string]field {
	const retype = "Enter it in the console as the set-up page shows it."
	return map[string]field{
		"type":                  {ConnectorType, "OAuth 2.0 Authentication Type", "Choose implicit or code as your page does it; an account has one of them for the web and for apps."},
		"pkceEnabled":           {ConnectorPKCE, "PKCE", "Switch it as your page does it: with it on, the page must pass the challenge on to the authorization endpoint."},
		"issuerDisplayName":     {ConnectorDisplayName, "Issuer Display Name", "Use the same name in the console and in the apps, which choose the provider by it."},
		"issuer":                {ConnectorIssuer, "JWT issuer (iss)", "Enter the issuer letter by letter: capitals and a slash at the end count."},
		"authorizationEndpoint": {ConnectorAuthorization, "Authentication Endpoint", retype},
		"tokenEndpoint":         {ConnectorToken, "Token Endpoint", retype},
		"clientId":              {ConnectorClientID, "Client ID", "Enter the id of the client that is LiveEngage in the provider's configuration."},
		"jwtValidationType":     {ConnectorKeyType, "IDP Certificate Type", "Choose JWKS Endpoint, or paste the key."},
		"jwtPublicKey":          {ConnectorKey, "JWT Public Key", "Paste the one line that " + pathLine + " shows."},
		"jwksEndpoint":          {ConnectorJWKS, "JWKS Endpoint", retype},
		"jsMethodName":          {ConnectorJSMethod, "JS Method Name", "Enter the name of the function alone, as your page declares it."},
		"jsContext":             {ConnectorJSContext, "JS Context", "Enter the object that has the function, such as window."},
		"rfcCompliance":         {ConnectorRFC, "RFC compliance", "Ask LivePerson's support to switch the connector to OAuth 2 RFC: otherwise the window of its own sends another redirect URI than is registered."},
	}
}

// ConnectorFields lists the names that Config.Expected may have, sorted.
func ConnectorFields() []string { return slices.Sorted(maps.Keys(connectorFields())) }

// compareConnector goes through the connector's fields.
func (e *exam) compareConnector(c connector) {
	validation, _ := c.fieldValue("jwtValidationType")
	byKeySet := validation == string(liveengage.KeyTypeJWKS)
	want := map[string]string{
		"issuer": e.cfg.Issuer, "clientId": e.cfg.ClientID, "authorizationEndpoint": e.meta.AuthorizationEndpoint,
	}
	if slices.Contains(e.cfg.ResponseTypes, "code") {
		want["tokenEndpoint"] = e.meta.TokenEndpoint
	}
	if byKeySet {
		want["jwksEndpoint"] = e.meta.JWKSURI
	}
	maps.Copy(want, e.cfg.ExpectedFields)
	for _, name := range []string{
		"type", "pkceEnabled", "issuerDisplayName", "issuer", "authorizationEndpoint", "tokenEndpoint", "clientId",
		"jwtValidationType", "jwksEndpoint", "jsMethodName", "jsContext", "rfcCompliance",
	} {
		if want[name] != "" {
			e.compareField(c, name, want[name])
		}
	}
	e.checkKeySource(c, validation)
	e.checkPageFunction(c, want)
	if want["rfcCompliance"] == "" {
		if value, has := c.fieldValue("rfcCompliance"); has && value == "false" {
			f := connectorFields()["rfcCompliance"]
			e.addFinding(Warn, f.code, c.displayName()+" is not set to RFC compliance, so that the window of its own sends a redirect URI with a query.", f.help)
		}
	}
}

// compareField compares one field as text.
func (e *exam) compareField(c connector, name, want string) {
	f := connectorFields()[name]
	switch got, has := c.fieldValue(name); {
	case got == want:
		e.addOK(f.code, fmt.Sprintf("%s has the right %s.", c.displayName(), f.label))
	case !has || got == "":
		e.addFinding(Error, f.code, fmt.Sprintf("%s has no %s (%s).", c.displayName(), f.label, name), f.help, "it should be "+want)
	default:
		e.addFinding(Error, f.code, fmt.Sprintf("%s has another %s (%s): %s.", c.displayName(), f.label, name, describeDifference(got, want)), f.help,
			fmt.Sprintf("there is %q, it should be %q", e.sanitize(got, 120), e.sanitize(want, 120)))
	}
}

// checkKeySource looks at how LivePerson verifies tokens: by the key set or by a key
// that somebody has pasted.
func (e *exam) checkKeySource(c connector, kind string) {
	pasted, _ := c.fieldValue("jwtPublicKey")
	switch {
	case pasted == liveengage.DelegationKey:
		e.addFinding(Note, ConnectorKey, c.displayName()+" is set to consumer delegation: it verifies no tokens of this provider.", "Nothing, if that is meant.")
	case kind == string(liveengage.KeyTypeJWKS):
		e.addOK(ConnectorKeyType, c.displayName()+" reads the key set; keys can change by themselves.")
	case kind != "" && kind != string(liveengage.KeyTypePasted):
		e.addFinding(Warn, ConnectorKeyType, fmt.Sprintf("%s verifies tokens in a way that is not known: %q.", c.displayName(), kind), connectorFields()["jwtValidationType"].help)
	case len(e.keys) == 0:
		e.addFinding(Skip, ConnectorKey, "The key in the connector was not compared, because the key set could not be read.", "Put the key set right first.")
	default:
		e.comparePastedKey(ConnectorKey, "The key of "+strings.TrimPrefix(c.displayName(), "The "), pasted)
	}
}

// checkPageFunction looks at the names by which the chat finds the page's function, unless
// they were compared already.
func (e *exam) checkPageFunction(c connector, want map[string]string) {
	usual := setup.NewSheet(setup.Facts{}).Implicit
	suggestion := map[string]string{}
	for _, entry := range usual {
		suggestion[entry.Label] = entry.Value
	}
	for _, name := range []string{"jsMethodName", "jsContext"} {
		if want[name] != "" {
			continue
		}
		f := connectorFields()[name]
		switch got, _ := c.fieldValue(name); {
		case got == "":
			e.addFinding(Warn, f.code, fmt.Sprintf("%s has no %s, so that chat embedded in a page finds no function.", c.displayName(), f.label), f.help, "usual is "+suggestion[f.label])
		case !isScriptName(got):
			e.addFinding(Warn, f.code, fmt.Sprintf("%s has the %s %q, which is no name.", c.displayName(), f.label, e.sanitize(got, 60)), f.help, "usual is "+suggestion[f.label])
		default:
			e.addFinding(Note, f.code, fmt.Sprintf("%s has the %s %s.", c.displayName(), f.label, got), "Make sure that your pages have it, reachable from the global scope.")
		}
	}
}

// isScriptName says whether a text can name something in a page: letters, digits,
// _, $ and dots, without parentheses or spaces.
func isScriptName(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("_$.", r)
	})
}
