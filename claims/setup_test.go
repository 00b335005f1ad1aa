package claims_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"idpbridge/claims"
	"idpbridge/dev"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// demoPerson is an entry of people.yaml.
type demoPerson struct {
	Username     string               `json:"username"`
	Note         string               `json:"note"`
	Password     string               `json:"password"`
	PasswordHash string               `json:"password_hash"`
	Subject      string               `json:"sub"`
	Standard     claims.Standard      `json:"claims"`
	CustomerInfo *claims.CustomerInfo `json:"customerInfo"`
	PersonalInfo *claims.PersonalInfo `json:"personalInfo"`
}

func (d demoPerson) person() claims.Person {
	return claims.Person{
		Subject: d.Subject, Standard: d.Standard, CustomerInfo: d.CustomerInfo, PersonalInfo: d.PersonalInfo,
	}
}

func demoPeople(t testing.TB) []demoPerson {
	t.Helper()
	var file struct {
		People []demoPerson `json:"people"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(dev.PeopleFile), yaml.Strict())
	require.NoError(t, dec.Decode(&file))
	return file.People
}

func demo(t testing.TB, username string) claims.Person {
	t.Helper()
	for _, d := range demoPeople(t) {
		if d.Username == username {
			return d.person()
		}
	}
	require.FailNow(t, "no such demo person", username)
	return claims.Person{}
}

// rich returns a person with a value in every field of every struct.
func rich() claims.Person {
	return claims.Person{
		Subject: "b7d1f0a4c2e94f3f9a56",
		Standard: claims.Standard{
			Name: "Rosa <Ray> & Sons", GivenName: "Rosa", FamilyName: "Ray", MiddleName: "M.", Nickname: "Ro",
			PreferredUsername: "rosa", Profile: "https://example.com/rosa", Picture: "https://example.com/rosa.png",
			Website: "https://rosa.example.com", Email: "rosa@example.com", EmailVerified: new(true), Gender: "female",
			Birthdate: "1980-02-29", Zoneinfo: "America/Argentina/Buenos_Aires", Locale: "es-AR",
			PhoneNumber: "+12125550110", PhoneNumberVerified: new(false),
			Address: &claims.Address{
				Formatted: "1 Elm St\r\nSpringfield", StreetAddress: "1 Elm St", Locality: "Springfield",
				Region: "IL", PostalCode: "62701", Country: "United States",
			},
			UpdatedAt: 1700000000,
		},
		CustomerInfo: &claims.CustomerInfo{
			Type: "vip", Status: "migrated", Balance: new(-400.99), Currency: "USD", CustomerID: "138766AC",
			SocialID: "11256324780", IMEI: "3543546543545688", UserName: "user000", CompanySize: new(0),
			CompanyBranch: "East <village>", AccountName: "bank & corp", Role: "broker",
			LastPaymentDate:  &claims.Date{Day: 29, Month: 2, Year: 2024},
			RegistrationDate: &claims.Date{Day: 23, Month: 5, Year: 2013}, LoginStatus: new(0),
		},
		PersonalInfo: &claims.PersonalInfo{
			FirstName: "Rosa", LastName: "Ray", Age: &claims.Age{Age: new(44), Year: 1980, Month: 2, Day: 29},
			Contacts: []claims.Contact{
				{
					Email: "rosa@example.com", Phone: "+1 212-555-0110", PhoneType: "HOME_FAX",
					Address: &claims.ContactAddress{Country: "US", Region: "North America"},
				},
				{Address: &claims.ContactAddress{Country: "AR"}},
			},
			Gender: claims.GenderFemale, Language: "es_AR", Company: "Example Ltd.",
		},
	}
}

// golden compares v, as indented JSON, with a file.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	require.NoError(t, enc.Encode(v))
	path := filepath.Join("testdata", name+".golden")
	if *update {
		require.NoError(t, os.WriteFile(path, out.Bytes(), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), out.String())
}
