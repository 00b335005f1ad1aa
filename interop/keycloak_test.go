package interop_test

import (
	"net/url"
	"strings"
	"testing"

	"idpbridge/internal/chrome"
	"idpbridge/interop/keycloak"
)

// brokerRealm is a realm whose users sign in at ISSUER, for an application at APP.
const brokerRealm = `{
  "realm": "brand", "enabled": true, "sslRequired": "none",
  "clients": [{"clientId": "app", "publicClient": true, "standardFlowEnabled": true, "redirectUris": ["APP/*"],
    "attributes": {"post.logout.redirect.uris": "APP/*"}}],
  "identityProviders": [{"alias": "idp", "providerId": "oidc", "enabled": true, "trustEmail": true,
    "firstBrokerLoginFlowAlias": "first broker login",
    "config": {"issuer": "ISSUER", "authorizationUrl": "ISSUER/authorize", "tokenUrl": "ISSUER/token",
      "userInfoUrl": "ISSUER/userinfo", "logoutUrl": "ISSUER/end_session", "jwksUrl": "ISSUER/jwks",
      "useJwksUrl": "true", "validateSignature": "true", "clientId": "keycloak", "clientSecret": "SECRET",
      "clientAuthMethod": "client_secret_basic", "defaultScope": "openid profile email",
      "pkceEnabled": "true", "pkceMethod": "S256", "syncMode": "FORCE", "backchannelSupported": "true"}}]
}`

// TestKeycloakAsBroker: Keycloak signs users in at idp, for an application. The browser goes
// from the sign-in form over Keycloak's callback to the application, which is where a
// form-action policy would stop it.
func TestKeycloakAsBroker(t *testing.T) {
	app := startApp(t)
	var issuer string
	broker := keycloak.Start(t, func(url string) string {
		callback := url + "/realms/brand/broker/idp/endpoint"
		client := confidential("keycloak", callback)
		client.PostLogoutRedirectURIs = []string{callback + "/logout_response"}
		client.ServerLogout = true // Keycloak's server calls end_session, without the browser
		client.BackchannelLogoutURI = url + "/realms/brand/protocol/openid-connect/logout/backchannel-logout"
		issuer = startIDP(t, client)
		return strings.NewReplacer("ISSUER", issuer, "APP", app, "SECRET", clientSecret).Replace(brokerRealm)
	})
	authorize := broker + "/realms/brand/protocol/openid-connect/auth?client_id=app&response_type=code&scope=openid" +
		"&kc_idp_hint=idp&redirect_uri=" + url.QueryEscape(app+"/cb")
	ctx := signInJane(t, authorize)
	chrome.WaitForText(ctx, t, "#app", "back in the app")
	chrome.WaitForText(ctx, t, "#query", "code=")

	chrome.Open(ctx, t, authorize+"&prompt=none")
	chrome.WaitForText(ctx, t, "#query", "code=")

	chrome.Open(ctx, t, broker+"/realms/brand/protocol/openid-connect/logout?client_id=app&post_logout_redirect_uri="+
		url.QueryEscape(app+"/signed-out"))
	chrome.WaitForElement(ctx, t, "#kc-logout")
	chrome.Click(ctx, t, "#kc-logout")
	chrome.WaitForText(ctx, t, "#app", "back in the app")
	chrome.Open(ctx, t, authorize)
	chrome.WaitForElement(ctx, t, "#login-submit")
}
