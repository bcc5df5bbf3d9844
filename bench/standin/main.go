// A stand-in for CDI's own two programs, for bench/standin/run: what their
// contract says they do, with the libraries that they are built with.
//
//	standin receive PORT FILE CERTS    one POST into FILE, then the end
//	standin send PORT DISK CERTS       DISK as one POST
//
// The sender reads 32 KiB at a time, packs every byte in snappy's framing
// format and posts it, chunked, over HTTP/1.1 and one TLS connection.  The
// receiver unpacks, leaves out reads of 32 KiB that are all zero, writes the
// rest in order, and flushes once at the end.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/golang/snappy"
)

const pieceBytes = 32 << 10

var zeros [pieceBytes]byte

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func identity(certs, name string) tls.Certificate {
	cert, err := tls.LoadX509KeyPair(filepath.Join(certs, name+".crt"),
		filepath.Join(certs, name+".key"))
	must(err)
	return cert
}

func authority(certs string) *x509.CertPool {
	pem, err := os.ReadFile(filepath.Join(certs, "ca.crt"))
	must(err)
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		log.Fatal("ca.crt holds no certificate")
	}
	return pool
}

// store writes a stream, and leaves holes where it is zero.
func store(path string, stream io.Reader) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	piece := make([]byte, pieceBytes)
	var at int64
	for {
		n, err := io.ReadFull(stream, piece)
		if n > 0 && !bytes.Equal(piece[:n], zeros[:n]) {
			if _, err := file.WriteAt(piece[:n], at); err != nil {
				return err
			}
		}
		at += int64(n)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if err := file.Truncate(at); err != nil {
		return err
	}
	return file.Sync()
}

func receive(port, path, certs string) {
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	must(err)
	server := &http.Server{TLSConfig: &tls.Config{
		Certificates: []tls.Certificate{identity(certs, "target")},
		ClientCAs:    authority(certs),
		ClientAuth:   tls.VerifyClientCertIfGiven,
	}}
	done := make(chan error, 1)
	server.Handler = http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			err := store(path, snappy.NewReader(r.Body))
			if err != nil {
				w.WriteHeader(http.StatusInternalServerError)
			}
			w.(http.Flusher).Flush()
			done <- err
		})
	fmt.Println("listening")
	go server.ServeTLS(listener, "", "")
	must(<-done)
}

func send(port, path, certs string) {
	disk, err := os.Open(path)
	must(err)
	body, stream := io.Pipe()
	go func() {
		packed := snappy.NewBufferedWriter(stream)
		// Only a reader and a writer: io.Copy() takes no short cut then.
		_, err := io.CopyBuffer(struct{ io.Writer }{packed},
			struct{ io.Reader }{disk}, make([]byte, pieceBytes))
		if err == nil {
			err = packed.Close()
		}
		stream.CloseWithError(err)
	}()
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{
			Certificates: []tls.Certificate{identity(certs, "source")},
			RootCAs:      authority(certs),
			ServerName:   "localhost",
		}}}
	request, err := http.NewRequest("POST",
		"https://127.0.0.1:"+port+"/v1beta1/upload", body)
	must(err)
	request.Header.Set("x-cdi-content-type", "blockdevice-clone")
	answer, err := client.Do(request)
	must(err)
	_, err = io.Copy(io.Discard, answer.Body)
	must(err)
	if answer.StatusCode != http.StatusOK {
		log.Fatal(answer.Status)
	}
}

func main() {
	if len(os.Args) != 5 {
		log.Fatal("usage: standin receive|send PORT FILE CERTS")
	}
	switch os.Args[1] {
	case "receive":
		receive(os.Args[2], os.Args[3], os.Args[4])
	case "send":
		send(os.Args[2], os.Args[3], os.Args[4])
	default:
		log.Fatal("neither receive nor send")
	}
}
