package config

import (
	"bytes"
	"unicode/utf8"
)

const byteOrderMark = "\ufeff"

// trimByteOrderMark removes what editors on Windows put at the beginning of a file.
func trimByteOrderMark(data []byte) []byte { return bytes.TrimPrefix(data, []byte(byteOrderMark)) }

// normalizeText returns the content of a YAML file without a byte order mark and with
// the line ends of Unix, or the problem that it is not UTF-8.
func normalizeText(data []byte) ([]byte, *problem) {
	for _, mark := range []string{"\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(data, []byte(mark)) {
			return nil, &problem{position: position{1, 1}, message: "the file is UTF-16; save it as UTF-8"}
		}
	}
	data = bytes.ReplaceAll(trimByteOrderMark(data), []byte("\r\n"), []byte("\n"))
	for number, line := range bytes.Split(data, []byte("\n")) {
		if utf8.Valid(line) && !bytes.ContainsRune(line, 0) {
			continue
		}
		column := 1
		for len(line) > 0 {
			r, size := utf8.DecodeRune(line)
			if r == 0 || r == utf8.RuneError && size == 1 {
				break
			}
			line, column = line[size:], column+1
		}
		return nil, &problem{
			position: position{number + 1, column}, message: "this character is not UTF-8; save the file as UTF-8",
		}
	}
	return data, nil
}
