package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

var errHash = errors.New("password_hash is not an argon2id hash in PHC form; make one with: idp people hash")

// checkHash says whether a hash has the form $argon2id$v=19$m=…,t=…,p=…$salt$hash
// and costs no more than 1 GiB and 16 passes (RFC 9106). It does not compute.
func checkHash(text string) error {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v=19" {
		return errHash
	}
	var memory, passes uint32
	var lanes uint8
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes); err != nil {
		return errHash
	}
	if parts[3] != fmt.Sprintf("m=%d,t=%d,p=%d", memory, passes, lanes) {
		return errHash
	}
	strict := base64.RawStdEncoding.Strict()
	salt, err1 := strict.DecodeString(parts[4])
	hash, err2 := strict.DecodeString(parts[5])
	switch {
	case err1 != nil || err2 != nil || len(salt) < 8 || len(hash) < 16 || len(hash) > 64:
		return errHash
	case lanes < 1 || passes < 1 || passes > 16 || memory < 8*uint32(lanes) || memory > 1<<20:
		return errHash
	}
	return nil
}
