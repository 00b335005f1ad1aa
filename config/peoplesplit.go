package config

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math"
)

// peopleParts are the parts of a people file. A YAML tree of the whole file would need
// eighty times the memory of the file.
type peopleParts struct {
	file    io.ReaderAt
	rest    []byte        // the file with an empty list of people
	line    int           // the line of the list's key
	lines   int           // how many lines after it rest leaves out
	entries []peopleEntry // of the list
}

// peopleEntry is where the text of one person is, with the dash in front.
type peopleEntry struct {
	offset int64
	length int
	line   int // of the dash, from 1
}

// read returns the text of an entry.
func (p *peopleParts) read(e peopleEntry) ([]byte, error) {
	text := make([]byte, e.length)
	_, err := p.file.ReadAt(text, e.offset)
	if errors.Is(err, io.EOF) {
		err = nil // the last entry
	}
	return text, err
}

// splitPeople splits a people file at the entries of the list people. That is possible
// without a YAML parser if the list is in block style at the top level: no line of an
// entry but its first has a dash at the indentation of the list (YAML 1.2.2 section
// 8.2.1), and no other line is indented as little. If the list has another style, rest is
// the whole file.
func splitPeople(file io.ReaderAt) (*peopleParts, error) {
	parts := &peopleParts{file: file}
	lines := bufio.NewReaderSize(io.NewSectionReader(file, 0, math.MaxInt64), 1<<16)
	offset, number, indent := int64(0), 0, -1
	inList := false
	for atEnd := false; !atEnd; {
		line, err := lines.ReadBytes('\n')
		atEnd = errors.Is(err, io.EOF)
		if err != nil && !atEnd {
			return nil, err
		}
		number++
		spaces, dash, text := describeLine(line)
		if inList && text && indent < 0 {
			indent = spaces
			if !dash {
				return wholePeople(file)
			}
		}
		if inList && text && (spaces < indent || spaces == indent && !dash) {
			inList = false
		}
		if inList && len(line) > 0 {
			parts.addLine(offset, number, len(line), text && spaces == indent)
		}
		if !inList && parts.line == 0 && isPeopleKey(line) {
			inList, parts.line = true, number
			key := line[:bytes.IndexByte(line, ':')+1]
			parts.rest = append(append(parts.rest, key...), " []\n"...)
		} else if !inList {
			parts.rest = append(parts.rest, line...)
		}
		offset += int64(len(line))
	}
	if len(parts.entries) == 0 {
		return wholePeople(file)
	}
	return parts, nil
}

// addLine adds a line of the list, which may begin an entry.
func (p *peopleParts) addLine(offset int64, number, length int, begins bool) {
	p.lines++
	if begins {
		p.entries = append(p.entries, peopleEntry{offset: offset, line: number})
	}
	if n := len(p.entries); n > 0 {
		last := &p.entries[n-1]
		last.length = int(offset-last.offset) + length
	}
}

// wholePeople returns a people file that cannot be split.
func wholePeople(file io.ReaderAt) (*peopleParts, error) {
	data, err := io.ReadAll(io.NewSectionReader(file, 0, math.MaxInt64))
	return &peopleParts{rest: data}, err
}

// isPeopleKey reports whether a line has nothing but the key people.
func isPeopleKey(line []byte) bool {
	after, found := bytes.CutPrefix(bytes.TrimPrefix(line, []byte("\ufeff")), []byte("people:"))
	_, _, text := describeLine(after)
	return found && !text && (len(after) == 0 || after[0] != '#')
}

// describeLine returns the number of spaces that a line begins with, and reports whether a
// dash follows. text is false for an empty line and for a comment.
func describeLine(line []byte) (spaces int, dash, text bool) {
	content := bytes.TrimLeft(line, " ")
	spaces = len(line) - len(content)
	content = bytes.TrimRight(content, " \t\r\n")
	dash = len(content) > 0 && content[0] == '-' && (len(content) == 1 || content[1] == ' ' || content[1] == '\t')
	return spaces, dash, len(content) > 0 && content[0] != '#'
}
