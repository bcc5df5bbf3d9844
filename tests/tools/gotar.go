// Go's own tar, as CDI's programs are built with, at the other end of ours.
//
//	gotar unpack DIR <archive    prints attributes, and sizes that are large
//	gotar pack FORMAT >archive   of odd entries: pax, or gnu
package main

import (
	"archive/tar"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const large = 1 << 30 // not read: nothing but a hole

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func unpackOne(dir string, h *tar.Header, content io.Reader) {
	path := filepath.Join(dir, h.Name)
	switch h.Typeflag {
	case tar.TypeDir:
		must(os.MkdirAll(path, 0700))
	case tar.TypeReg, tar.TypeGNUSparse:
		must(os.MkdirAll(filepath.Dir(path), 0700))
		file, err := os.Create(path)
		must(err)
		if h.Size >= large {
			fmt.Printf("large %s %d\n", h.Name, h.Size)
			must(file.Truncate(h.Size))
		} else {
			n, err := io.Copy(file, content)
			must(err)
			if n != h.Size {
				log.Fatalf("%s: %d bytes, not %d", h.Name, n, h.Size)
			}
		}
		must(file.Close())
	case tar.TypeSymlink:
		must(os.Symlink(h.Linkname, path))
		return
	case tar.TypeLink:
		must(os.Link(filepath.Join(dir, h.Linkname), path))
		return
	default:
		log.Fatalf("%s: of type %q", h.Name, h.Typeflag)
	}
	for key, value := range h.PAXRecords {
		if strings.HasPrefix(key, "SCHILY.") {
			fmt.Printf("attribute %s %s=%q\n", h.Name, key, value)
		}
	}
}

func unpack(dir string) {
	var headers []*tar.Header
	archive := tar.NewReader(os.Stdin)
	for {
		h, err := archive.Next()
		if err == io.EOF {
			break
		}
		must(err)
		unpackOne(dir, h, archive)
		headers = append(headers, h)
	}
	for i := len(headers) - 1; i >= 0; i-- { // what is below before its place
		h := headers[i]
		path := filepath.Join(dir, h.Name)
		if h.Typeflag == tar.TypeSymlink {
			continue
		}
		mode := os.FileMode(h.Mode & 0777)
		if h.Mode&02000 != 0 {
			mode |= os.ModeSetgid
		}
		must(os.Chmod(path, mode))
		must(os.Chtimes(path, h.ModTime, h.ModTime))
	}
}

func pack(format tar.Format) {
	archive := tar.NewWriter(os.Stdout)
	when := time.Unix(1600000000, 0)
	put := func(h tar.Header, content string) {
		h.Format = format
		h.ModTime = when
		h.Size = int64(len(content))
		must(archive.WriteHeader(&h))
		_, err := io.WriteString(archive, content)
		must(err)
	}
	long := strings.Repeat("n", 150)
	plain := tar.Header{Typeflag: tar.TypeReg, Name: "plain", Mode: 0640}
	if format == tar.FormatPAX {
		when = time.Unix(1600000000, 123456789)
		plain.PAXRecords = map[string]string{"SCHILY.xattr.user.colour": "blue"}
	}
	put(plain, "hello")
	put(tar.Header{Typeflag: tar.TypeDir, Name: "dir/", Mode: 0750}, "")
	put(tar.Header{Typeflag: tar.TypeReg, Name: "dir/" + long + "/" + long, Mode: 0600}, "long")
	put(tar.Header{Typeflag: tar.TypeLink, Name: "dir/hard", Linkname: "plain", Mode: 0640}, "")
	put(tar.Header{Typeflag: tar.TypeSymlink, Name: "soft", Linkname: long + "/" + long, Mode: 0777}, "")
	put(tar.Header{Typeflag: tar.TypeReg, Name: "ä and 語", Mode: 0600}, "utf-8")
	if format == tar.FormatGNU { // of PAX it is UTF-8 that Go writes
		put(tar.Header{Typeflag: tar.TypeReg, Name: "byte \xff", Mode: 0600}, "no utf-8")
	}
	must(archive.Close())
}

func main() {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "unpack":
		unpack(os.Args[2])
	case len(os.Args) == 3 && os.Args[1] == "pack" && os.Args[2] == "pax":
		pack(tar.FormatPAX)
	case len(os.Args) == 3 && os.Args[1] == "pack" && os.Args[2] == "gnu":
		pack(tar.FormatGNU)
	default:
		log.Fatal("gotar unpack DIR | pack pax | pack gnu")
	}
}
