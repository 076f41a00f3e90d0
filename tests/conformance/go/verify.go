// Judges a log that FilAgent wrote with golang.org/x/mod/sumdb/note and tlog: nothing here shares code with what it
// judges. It says "ok" and what it looked at, or what it found and exits with 1.
//
//	verify CASE
//
// CASE is a directory:
//
//	vkey                        the verifier key of the log
//	log/events/*.jsonl          lines; a leaf is a line without its LF
//	log/tile/<level>/<index>    full hash tiles as they lie on the disk
//	served/<level>/....p/<w>    partial hash tiles as they are served
//	checkpoints/<size>          a signed note for each size to look at
//	inclusion/*.json            {"log_index", "tree_size", "inclusion", "line"}
//	consistency/*.json          {"old", "new", "consistency"}
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

type inclusion struct {
	Index int64    `json:"log_index"`
	Size  int64    `json:"tree_size"`
	Proof []string `json:"inclusion"`
	Line  string   `json:"line"`
}

type consistency struct {
	Old   int64    `json:"old"`
	New   int64    `json:"new"`
	Proof []string `json:"consistency"`
}

func main() {
	if len(os.Args) != 2 {
		fail("usage: verify CASE")
	}
	dir := os.Args[1]
	lines := readLines(dir)
	stored := storedHashes(lines)
	trees := readCheckpoints(dir, int64(len(lines)))
	sizes := make([]int64, 0, len(trees))
	for size := range trees {
		sizes = append(sizes, size)
	}
	sort.Slice(sizes, func(i, j int) bool { return sizes[i] < sizes[j] })
	for _, size := range sizes {
		root, err := tlog.TreeHash(size, stored)
		check(err, "tree of %d lines", size)
		if root != trees[size].Hash {
			fail("the checkpoint over %d lines signs another root than theirs", size)
		}
		checkTiles(dir, trees[size], lines)
	}
	proofs := checkInclusion(dir, trees, lines, stored)
	steps := checkConsistency(dir, trees, stored)
	fmt.Printf("ok: %d lines, checkpoints and tiles at %v, %d inclusion and %d consistency proofs\n",
		len(lines), sizes, proofs, steps)
}

// readLines gives the lines of all segments in the order of their first index.
func readLines(dir string) [][]byte {
	names, err := filepath.Glob(filepath.Join(dir, "log", "events", "events_*.jsonl"))
	check(err, "events")
	sort.Slice(names, func(i, j int) bool { return names[i][len(names[i])-26:] < names[j][len(names[j])-26:] })
	var lines [][]byte
	for _, name := range names {
		data := read(name)
		if !bytes.HasSuffix(data, []byte("\n")) {
			fail("%s does not end with a line end", filepath.Base(name))
		}
		lines = append(lines, bytes.Split(data[:len(data)-1], []byte("\n"))...)
	}
	return lines
}

// storedHashes builds the tree anew, from lines alone.
func storedHashes(lines [][]byte) tlog.HashReaderFunc {
	var all []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			if index >= int64(len(all)) {
				return nil, fmt.Errorf("no stored hash %d", index)
			}
			found[i] = all[index]
		}
		return found, nil
	})
	for n, line := range lines {
		hashes, err := tlog.StoredHashes(int64(n), line, reader)
		check(err, "line %d", n)
		all = append(all, hashes...)
	}
	return reader
}

// readCheckpoints opens every note with the log's verifier key.
func readCheckpoints(dir string, lines int64) map[int64]tlog.Tree {
	verifier, err := note.NewVerifier(strings.TrimSpace(string(read(filepath.Join(dir, "vkey")))))
	check(err, "verifier key")
	names, err := filepath.Glob(filepath.Join(dir, "checkpoints", "*"))
	check(err, "checkpoints")
	trees := map[int64]tlog.Tree{}
	for _, name := range names {
		opened, err := note.Open(read(name), note.VerifierList(verifier))
		check(err, "checkpoint %s", filepath.Base(name))
		parts := strings.Split(opened.Text, "\n")
		if len(parts) != 4 || parts[0] != verifier.Name() || parts[3] != "" {
			fail("checkpoint %s: not origin, size and root", filepath.Base(name))
		}
		size, err := strconv.ParseInt(parts[1], 10, 64)
		check(err, "checkpoint %s", filepath.Base(name))
		root, err := tlog.ParseHash(parts[2])
		check(err, "checkpoint %s", filepath.Base(name))
		if parts[1] != filepath.Base(name) || size > lines {
			fail("checkpoint %s: covers %s of %d lines", filepath.Base(name), parts[1], lines)
		}
		trees[size] = tlog.Tree{N: size, Hash: root}
	}
	if len(trees) == 0 {
		fail("no checkpoints")
	}
	return trees
}

// tileFiles reads tiles by their C2SP paths: those of tlog without the height.
type tileFiles struct{ dir string }

func (t tileFiles) Height() int { return height }

func (t tileFiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, len(tiles))
	for i, tile := range tiles {
		path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height))
		folder := filepath.Join("log", "tile")
		if tile.W < 1<<height {
			folder = "served"
		}
		data, err := os.ReadFile(filepath.Join(t.dir, folder, filepath.FromSlash(path)))
		if err != nil {
			return nil, err
		}
		found[i] = data
	}
	return found, nil
}

func (t tileFiles) SaveTiles([]tlog.Tile, [][]byte) {}

// checkTiles reads every leaf hash through the tiles, each of which is authenticated by the signed root.
func checkTiles(dir string, tree tlog.Tree, lines [][]byte) {
	reader := tlog.TileHashReader(tree, tileFiles{dir})
	indexes := make([]int64, tree.N)
	for n := range indexes {
		indexes[n] = tlog.StoredHashIndex(0, int64(n))
	}
	hashes, err := reader.ReadHashes(indexes)
	check(err, "tiles of the tree of %d lines", tree.N)
	for n, hash := range hashes {
		if hash != tlog.RecordHash(lines[n]) {
			fail("the tiles of the tree of %d lines do not hold line %d", tree.N, n)
		}
	}
}

func checkInclusion(dir string, trees map[int64]tlog.Tree, lines [][]byte, stored tlog.HashReader) int {
	names, err := filepath.Glob(filepath.Join(dir, "inclusion", "*.json"))
	check(err, "inclusion")
	for _, name := range names {
		var given inclusion
		check(json.Unmarshal(read(name), &given), "%s", filepath.Base(name))
		tree, known := trees[given.Size]
		if !known || given.Index >= given.Size || given.Line != string(lines[given.Index]) {
			fail("%s: not a line under one of the checkpoints", filepath.Base(name))
		}
		proof := tlog.RecordProof(hashes(given.Proof))
		check(tlog.CheckRecord(proof, tree.N, tree.Hash, given.Index, tlog.RecordHash([]byte(given.Line))),
			"%s", filepath.Base(name))
		own, err := tlog.ProveRecord(given.Size, given.Index, stored)
		check(err, "%s", filepath.Base(name))
		if len(own)+len(proof) > 0 && !reflect.DeepEqual(own, proof) {
			fail("%s: it holds, but is not the proof that tlog makes", filepath.Base(name))
		}
	}
	return len(names)
}

func checkConsistency(dir string, trees map[int64]tlog.Tree, stored tlog.HashReader) int {
	names, err := filepath.Glob(filepath.Join(dir, "consistency", "*.json"))
	check(err, "consistency")
	for _, name := range names {
		var given consistency
		check(json.Unmarshal(read(name), &given), "%s", filepath.Base(name))
		before, known := trees[given.Old]
		after, also := trees[given.New]
		if !known || !also {
			fail("%s: not between two of the checkpoints", filepath.Base(name))
		}
		proof := tlog.TreeProof(hashes(given.Proof))
		check(tlog.CheckTree(proof, after.N, after.Hash, before.N, before.Hash), "%s", filepath.Base(name))
		own, err := tlog.ProveTree(given.New, given.Old, stored)
		check(err, "%s", filepath.Base(name))
		if len(own)+len(proof) > 0 && !reflect.DeepEqual(own, proof) {
			fail("%s: it holds, but is not the proof that tlog makes", filepath.Base(name))
		}
	}
	return len(names)
}

func hashes(texts []string) []tlog.Hash {
	found := make([]tlog.Hash, len(texts))
	for i, text := range texts {
		data, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil || len(data) != tlog.HashSize {
			fail("not a hash: %q", text)
		}
		copy(found[i][:], data)
	}
	return found
}

func read(name string) []byte {
	data, err := os.ReadFile(name)
	check(err, "%s", filepath.Base(name))
	return data
}

func check(err error, format string, arguments ...any) {
	if err != nil {
		fail("%s: %v", fmt.Sprintf(format, arguments...), err)
	}
}

func fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
	os.Exit(1)
}
