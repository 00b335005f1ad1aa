package interop_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/chrome"
)

const oauth2ProxyVersion = "v7.15.6"

// TestOAuth2Proxy: oauth2-proxy in front of a website.
func TestOAuth2Proxy(t *testing.T) {
	folder := cacheFolder(t, "oauth2-proxy-"+oauth2ProxyVersion)
	program := filepath.Join(folder, "oauth2-proxy")
	if _, err := os.Stat(program); err != nil {
		t.Setenv("GOBIN", folder)
		run(t, folder, "go", "install", "github.com/oauth2-proxy/oauth2-proxy/v7@"+oauth2ProxyVersion)
	}
	app, port := startApp(t), freePort(t)
	address := "127.0.0.1:" + port
	client := confidential("proxy", "http://"+address+"/oauth2/callback")
	client.RequirePKCE, client.ServerLogout = true, true
	issuer := startIDP(t, client)
	start(t, address, folder, nil, program, "--provider=oidc", "--oidc-issuer-url="+issuer, "--client-id=proxy",
		"--client-secret="+clientSecret, "--code-challenge-method=S256", "--redirect-url=http://"+address+"/oauth2/callback",
		"--http-address="+address, "--upstream="+app, "--cookie-secret=0123456789abcdef0123456789abcdef",
		"--cookie-secure=false", "--email-domain=example.com", "--skip-provider-button", "--reverse-proxy=false",
		"--whitelist-domain="+address, "--backend-logout-url="+issuer+"/end_session?id_token_hint={id_token}")
	ctx := signInJane(t, "http://"+address+"/page?a=b")
	chrome.WaitForText(ctx, t, "#app", "back in the app")
	chrome.WaitForText(ctx, t, "#query", "a=b")
	chrome.Open(ctx, t, "http://"+address+"/oauth2/userinfo")
	chrome.WaitForText(ctx, t, "body", "jane@example.com")
	chrome.Open(ctx, t, "http://"+address+"/oauth2/sign_out?rd=%2Fpage")
	chrome.WaitForElement(ctx, t, "#login-submit") // the session at idp has ended too
}

// TestModAuthOpenidc: Apache with mod_auth_openidc, as Debian packages it.
func TestModAuthOpenidc(t *testing.T) {
	const module = "/usr/lib/apache2/modules/mod_auth_openidc.so"
	_, err := os.Stat(module)
	require.NoError(t, err, "install libapache2-mod-auth-openidc, as interop/all.sh does")
	folder, address := t.TempDir(), "127.0.0.1:"+freePort(t)
	require.NoError(t, os.Chmod(filepath.Dir(folder), 0o755))
	require.NoError(t, os.Chmod(folder, 0o755))
	callback := "http://" + address + "/page/callback"
	client := confidential("apache", callback)
	client.PostLogoutRedirectURIs = []string{"http://" + address + "/signed-out.html"}
	issuer := startIDP(t, client)
	writeFile(t, folder, "page/index.html", "<!doctype html><h1 id=app>behind Apache</h1>")
	writeFile(t, folder, "signed-out.html", "<!doctype html><h1 id=app>signed out at Apache</h1>")
	writeFile(t, folder, "apache.conf", `ServerRoot `+folder+`
PidFile `+folder+`/pid
ErrorLog `+folder+`/log
DefaultRuntimeDir `+folder+`
ServerName 127.0.0.1
User nobody
Group nogroup
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authn_core_module /usr/lib/apache2/modules/mod_authn_core.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule authz_user_module /usr/lib/apache2/modules/mod_authz_user.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
LoadModule mime_module /usr/lib/apache2/modules/mod_mime.so
LoadModule auth_openidc_module `+module+`
TypesConfig /etc/mime.types
Listen `+address+`
DocumentRoot `+folder+`
DirectoryIndex index.html
OIDCProviderMetadataURL `+issuer+`/.well-known/openid-configuration
OIDCClientID apache
OIDCClientSecret `+clientSecret+`
OIDCRedirectURI `+callback+`
OIDCCryptoPassphrase 0123456789abcdef0123456789abcdef
OIDCPKCEMethod S256
OIDCScope "openid email"
OIDCCookieSameSite On
<Directory `+folder+`>
  Require all granted
</Directory>
<Location /page>
  AuthType openid-connect
  Require claim email:jane@example.com
</Location>
`)
	start(t, address, folder, nil, "/usr/sbin/apache2", "-D", "FOREGROUND", "-f", filepath.Join(folder, "apache.conf"))
	ctx := signInJane(t, "http://"+address+"/page/")
	chrome.WaitForText(ctx, t, "#app", "behind Apache")
	chrome.Open(ctx, t, callback+"?logout=http%3A%2F%2F"+address+"%2Fsigned-out.html")
	chrome.WaitForText(ctx, t, "#app", "signed out at Apache")
	chrome.Open(ctx, t, "http://"+address+"/page/")
	chrome.WaitForElement(ctx, t, "#login-submit")
}

// writeFile writes a file that other users may read.
func writeFile(t *testing.T, folder, name, content string) {
	t.Helper()
	path := filepath.Join(folder, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
}
