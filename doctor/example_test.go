package doctor_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"idpbridge/doctor"
	"idpbridge/internal/secret"
)

// Check a provider as a monitoring job would, and print what needs attention.
func ExampleRun() {
	report := doctor.Run(context.Background(), doctor.Config{
		Issuer:       "https://login.brand.example",
		ClientID:     "liveengage",
		ClientSecret: secret.New(os.Getenv("LIVEENGAGE_SECRET")),
		Now:          time.Now,
	})
	for _, f := range report.Findings {
		if f.Level == doctor.Warn || f.Level == doctor.Error {
			fmt.Printf("%s %s: %s %s\n", f.Level, f.Code, f.Sentence, f.Remedy)
		}
	}
}
