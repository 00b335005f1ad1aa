package setup

import (
	"encoding/json"
	"strings"

	"idpbridge/liveengage"
)

// quoted is a text as a string of JavaScript, Java or Swift, safe within a script
// element too.
func quoted(s string) string {
	out, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(out)
}

// pages are the snippets for the brand's pages: the page script where it may be
// used, else the identity function to write oneself.
func (f Facts) pages() []Snippet {
	if f.Page.Script == "" {
		return []Snippet{{
			Title: "The identity function", Where: "On every page where a customer is signed in, before LiveEngage’s tag.",
			Code:    identity(f.Issuer),
			Mistake: "The same sub for everybody. It merges all customers into one conversation.",
		}}
	}
	what := "a token"
	if f.Page.Code {
		what = "a code"
	}
	out := []Snippet{{
		Title: "The page script",
		Where: "On every page with the chat, before LiveEngage’s tag. It defines " + f.JSContext + "." + f.JSMethod + ", which hands LiveEngage " + what +
			" of whoever is signed in here, and the identity function. Allowed on: " + strings.Join(f.Page.Origins, ", ") + ".",
		Code:    `<script src=` + quoted(f.Page.Script) + `></script>`,
		Mistake: "Loading it with async or defer: LiveEngage’s tag may then look for the function before it is there.",
	}}
	if f.Page.ReturnURI != "" {
		out = append(out, Snippet{
			Title: "The same where the browser keeps cookies from this provider",
			Where: "On pages of which you know that the customer is signed in: the script then goes by this provider and comes back to " + f.Page.ReturnURI +
				", where it must be loaded too. Name the customer’s sub if you know it.",
			Code:    `<script src=` + quoted(f.Page.Script) + ` data-signed-in="SUB"></script>`,
			Mistake: "Writing data-signed-in on pages for strangers: they would be sent around for nothing.",
		})
	}
	return out
}

// identity is the function by which a page tells LiveEngage who is signed in.
func identity(issuer string) string {
	return `lpTag.identities = lpTag.identities || [];
lpTag.identities.push(function (callback) {
  callback({
    iss: ` + quoted(issuer) + `,
    acr: "` + liveengage.ACR + `",
    sub: "the sub of the customer who is signed in"
  });
});`
}

// apps are the calls of LivePerson's mobile SDKs with this provider's values.
func (f Facts) apps() []Snippet {
	const where = "The customer is signed in to your app already; it has got the code by its system browser, from "
	display := quoted(f.DisplayName)
	return []Snippet{{
		Title: "Android, implicit", Where: "idToken is an ID token that your own server has obtained.",
		Code: `LPAuthenticationParams params =
    new LPAuthenticationParams(LPAuthenticationParams.LPAuthenticationType.AUTH);
params.setHostAppJWT(idToken);
params.setIssuerDisplayName(` + display + `);
LivePerson.showConversation(activity, params, new ConversationViewParams(false));`,
	}, {
		Title: "Android, code with PKCE", Where: where + f.AuthorizationEndpoint + ".",
		Code: `LPAuthenticationParams params =
    new LPAuthenticationParams(LPAuthenticationParams.LPAuthenticationType.AUTH);
params.setIssuerDisplayName(` + display + `);
LivePerson.getPKCEParams(context, params, pkce -> {
  // Open in the system browser:
  //   ` + f.AuthorizationEndpoint + `
  //   ?client_id=` + f.ClientID + `&response_type=code&scope=openid&redirect_uri=YOUR_DEEP_LINK
  //   &code_challenge=<pkce.codeChallenge>&code_challenge_method=S256
  // When it comes back to YOUR_DEEP_LINK with the code:
  params.setAuthKey(code);
  params.setCodeVerifier(pkce.codeVerifier);
  params.setHostAppRedirectUri("YOUR_DEEP_LINK");
  LivePerson.showConversation(activity, params, new ConversationViewParams(false));
});`,
		Mistake: "Leaving the deep link out of redirect_uris of this client: then the sign-in stops with an error page.",
	}, {
		Title: "iOS, implicit", Where: "idToken is an ID token that your own server has obtained.",
		Code: `let params = LPAuthenticationParams(
  jwt: idToken,
  issuerDisplayName: ` + display + `)
LPMessaging.instance.showConversation(conversationViewParams, authenticationParams: params)`,
	}, {
		Title: "iOS, code with PKCE", Where: where + f.AuthorizationEndpoint + ", with the challenge of getPkceParams.",
		Code: `let params = LPAuthenticationParams(
  authenticationCode: code,
  redirectURI: "YOUR_DEEP_LINK",
  codeVerifier: pkce.codeVerifier,
  issuerDisplayName: ` + display + `)
LPMessaging.instance.showConversation(conversationViewParams, authenticationParams: params)`,
		Mistake: "Giving jwt as well: the code is then ignored.",
	}}
}
