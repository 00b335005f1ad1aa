// Package spelling finds what a mistyped word was meant to be.
package spelling

import "strings"

// longestWord is the longest word in bytes that Nearest compares, because
// comparing takes time in proportion to its length.
const longestWord = 64

// Nearest returns the known word that takes the fewest edits to get from word,
// ignoring case, or "" if all of them differ in more than a third of word.
func Nearest(word string, known []string) string {
	if len(word) > longestWord {
		return ""
	}
	nearest, least := "", 1+max(1, len(word)/3)
	for _, k := range known {
		if d := Distance(strings.ToLower(word), strings.ToLower(k)); d < least {
			nearest, least = k, d
		}
	}
	return nearest
}

// Distance is the number of bytes to insert, delete or replace to turn a into b
// (Levenshtein distance).
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
