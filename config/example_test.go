package config_test

import (
	"fmt"

	"idpbridge/config"
)

func ExampleParse() {
	file := []byte(`issuer: https://login.brand.example/
data: /var/lib/idp
people: people.yaml
proxys: [127.0.0.1]
tls: {certificate: cert.pem, key: key.pem}
brand: {name: Brand}
clients:
  - id: shop
    redirect_uris: ["https://a.example/#x"]
`)
	_, err := config.Parse("idp.yaml", file, func(string) string { return "" }, ".")
	fmt.Println(err)
	// Output:
	// idp.yaml:1:9: issuer "https://login.brand.example/" ends with a slash; remove it
	// idp.yaml:4:1: unknown key "proxys"; did you mean "proxies"?
	// idp.yaml:9:21: client "shop": redirect URI "https://a.example/#x" has a fragment; remove it (RFC 6749 section 3.1.2)
}
