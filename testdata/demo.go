// Package testdata holds what the demo and several packages' tests share.
package testdata

import _ "embed" // for People

// People is people.yaml: the people of the demo, with public passwords, in the
// spelling of package claims. It must never be loaded into a production store.
//
//go:embed people.yaml
var People []byte
