package setup

import (
	"encoding/json"
	"strings"

	"idpbridge/liveengage"
)

// quoteJS returns the text as a string literal of JavaScript, Java and Swift. It is
// safe inside a script element too.
func quoteJS(s string) string {
	out, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(out)
}

// writePageSnippets returns the snippets for the brand's pages: the page script if it
// may be used, otherwise the identity function.
func (f Facts) writePageSnippets() []Snippet {
	if f.Page.Script == "" {
		return []Snippet{{
			Title: "The identity function",
			Where: "On every page where a customer is signed in, before the LiveEngage tag.",
			Code:  writeIdentityFunction(f.Issuer),
			Mistake: "Sending the same sub for all customers: LiveEngage then merges them into one " +
				"conversation.",
		}}
	}
	credential := "a token"
	if f.Page.Code {
		credential = "a code"
	}
	out := []Snippet{{
		Title: "The page script",
		Where: "On every page with the chat, before the LiveEngage tag. It defines the identity function and " +
			f.JSContext + "." + f.JSMethod + ", which gives LiveEngage " + credential + " of the customer who is " +
			"signed in to this provider. Allowed on: " + strings.Join(f.Page.Origins, ", ") + ".",
		Code:    `<script src=` + quoteJS(f.Page.Script) + `></script>`,
		Mistake: "Loading it with async or defer: the LiveEngage tag may then run before the function exists.",
	}}
	if f.Page.ReturnURI != "" {
		out = append(out, Snippet{
			Title: "The page script, if the browser blocks this provider’s cookies",
			Where: "On pages where you know that the customer is signed in. The script redirects to this provider " +
				"and back to " + f.Page.ReturnURI + ", which must load it too. Replace SUB with the sub of " +
				"that customer.",
			Code: `<script src=` + quoteJS(f.Page.Script) + ` data-signed-in="SUB"></script>`,
			Mistake: "Setting data-signed-in on pages for customers who are not signed in: they are redirected " +
				"for nothing.",
		})
	}
	return out
}

// writeIdentityFunction returns the function that tells LiveEngage who is signed in.
func writeIdentityFunction(issuer string) string {
	return `lpTag.identities = lpTag.identities || [];
lpTag.identities.push(function (callback) {
  callback({
    iss: ` + quoteJS(issuer) + `,
    acr: "` + liveengage.ACR + `",
    sub: "the sub of the customer who is signed in"
  });
});`
}

// writeAppSnippets returns the calls of LivePerson's mobile SDKs with the values of
// this provider.
func (f Facts) writeAppSnippets() []Snippet {
	return []Snippet{f.writeAndroidImplicit(), f.writeAndroidCode(), f.writeIOSImplicit(), f.writeIOSCode()}
}

const (
	whereImplicit = "idToken is an ID token that your server has obtained."
	whereCode     = "The customer is already signed in to your app. The app got the code through the system browser, from "
)

func (f Facts) writeAndroidImplicit() Snippet {
	return Snippet{
		Title: "Android, implicit", Where: whereImplicit,
		Code: `LPAuthenticationParams params =
    new LPAuthenticationParams(LPAuthenticationParams.LPAuthenticationType.AUTH);
params.setHostAppJWT(idToken);
params.setIssuerDisplayName(` + quoteJS(f.DisplayName) + `);
LivePerson.showConversation(activity, params, new ConversationViewParams(false));`,
	}
}

func (f Facts) writeAndroidCode() Snippet {
	return Snippet{
		Title: "Android, code with PKCE", Where: whereCode + f.AuthorizationEndpoint + ".",
		Code: `LPAuthenticationParams params =
    new LPAuthenticationParams(LPAuthenticationParams.LPAuthenticationType.AUTH);
params.setIssuerDisplayName(` + quoteJS(f.DisplayName) + `);
LivePerson.getPKCEParams(context, params, pkce -> {
  // Open in the system browser:
  //   ` + f.AuthorizationEndpoint + `
  //   ?client_id=` + f.ClientID + `&response_type=code&scope=openid&redirect_uri=YOUR_DEEP_LINK
  //   &code_challenge=<pkce.codeChallenge>&code_challenge_method=S256
  // When the browser returns to YOUR_DEEP_LINK with the code:
  params.setAuthKey(code);
  params.setCodeVerifier(pkce.codeVerifier);
  params.setHostAppRedirectUri("YOUR_DEEP_LINK");
  LivePerson.showConversation(activity, params, new ConversationViewParams(false));
});`,
		Mistake: "Not adding the deep link to redirect_uris of this client: the sign-in then ends with an error page.",
	}
}

func (f Facts) writeIOSImplicit() Snippet {
	return Snippet{
		Title: "iOS, implicit", Where: whereImplicit,
		Code: `let params = LPAuthenticationParams(
  jwt: idToken,
  issuerDisplayName: ` + quoteJS(f.DisplayName) + `)
LPMessaging.instance.showConversation(conversationViewParams, authenticationParams: params)`,
	}
}

func (f Facts) writeIOSCode() Snippet {
	return Snippet{
		Title: "iOS, code with PKCE",
		Where: whereCode + f.AuthorizationEndpoint + ", with the challenge from getPkceParams.",
		Code: `let params = LPAuthenticationParams(
  authenticationCode: code,
  redirectURI: "YOUR_DEEP_LINK",
  codeVerifier: pkce.codeVerifier,
  issuerDisplayName: ` + quoteJS(f.DisplayName) + `)
LPMessaging.instance.showConversation(conversationViewParams, authenticationParams: params)`,
		Mistake: "Passing jwt as well: the code is then ignored.",
	}
}
