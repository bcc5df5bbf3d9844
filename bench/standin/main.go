// A stand-in for CDI's own two programs, for bench/run: what their contract
// says they do, with the libraries that they are built with.
//
//	standin receive PORT CERTS TARGET    one POST into TARGET, then the end
//	standin send PORT CERTS DISK         DISK as one POST
//
// The sender reads 32 KiB at a time, packs every byte in snappy's framing
// format and posts it, chunked, over HTTP/1.1 and one TLS connection.  The
// receiver unpacks, takes 32 KiB that are all zero for a part of a hole, writes
// the rest in order through the page cache, and flushes once at the end.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/golang/snappy"
)

const (
	pieceBytes = 32 << 10
	keepSize   = 1 // of fallocate(2)
	punchHole  = 2
)

var zeros [pieceBytes]byte

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func identity(certs, name string) tls.Certificate {
	cert, err := tls.LoadX509KeyPair(filepath.Join(certs, name+"-cert.pem"),
		filepath.Join(certs, name+"-key.pem"))
	must(err)
	return cert
}

func authority(certs string) *x509.CertPool {
	pem, err := os.ReadFile(filepath.Join(certs, "ca-cert.pem"))
	must(err)
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		log.Fatal("ca-cert.pem holds no certificate")
	}
	return pool
}

// target is a file or a block device that is written from front to end.
type target struct {
	file  *os.File
	isDev bool
	at    int64 // so much of the disk is there
	zeros int64 // so many zeros come behind it
}

func open(path string) (*target, error) {
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	info, err := os.Stat(path)
	isDev := err == nil && info.Mode()&os.ModeDevice != 0
	if isDev {
		flags = os.O_WRONLY | os.O_EXCL
	}
	file, err := os.OpenFile(path, flags, 0o777)
	return &target{file: file, isDev: isDev}, err
}

// settle makes the zeros that were put off: a longer file, or a hole.
func (t *target) settle() error {
	if t.zeros == 0 {
		return nil
	}
	var err error
	if t.isDev {
		err = syscall.Fallocate(int(t.file.Fd()), punchHole|keepSize,
			t.at, t.zeros)
	} else {
		err = t.file.Truncate(t.at + t.zeros)
	}
	if err != nil {
		return err
	}
	t.at += t.zeros
	t.zeros = 0
	_, err = t.file.Seek(t.at, io.SeekStart)
	return err
}

func (t *target) put(piece []byte) error {
	if bytes.Equal(piece, zeros[:len(piece)]) {
		t.zeros += int64(len(piece))
		return nil
	}
	if err := t.settle(); err != nil {
		return err
	}
	n, err := t.file.Write(piece)
	t.at += int64(n)
	return err
}

// store writes a stream, and leaves holes where it is zero.
func store(path string, stream io.Reader) error {
	t, err := open(path)
	if err != nil {
		return err
	}
	defer t.file.Close()
	piece := make([]byte, pieceBytes)
	for {
		n, err := io.ReadFull(stream, piece)
		if n > 0 {
			if err := t.put(piece[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if err := t.settle(); err != nil {
		return err
	}
	return t.file.Sync()
}

func receive(port, certs, path string) {
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	must(err)
	server := &http.Server{TLSConfig: &tls.Config{
		Certificates: []tls.Certificate{identity(certs, "server")},
		ClientCAs:    authority(certs),
		ClientAuth:   tls.VerifyClientCertIfGiven,
	}, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	server.Handler = http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			err := store(path, snappy.NewReader(r.Body))
			if err != nil {
				w.WriteHeader(http.StatusInternalServerError)
			}
			done <- err
		})
	go server.ServeTLS(listener, "", "")
	err = <-done
	must(server.Shutdown(context.Background())) // with the answer sent
	must(err)
}

func send(port, certs, path string) {
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
			Certificates: []tls.Certificate{identity(certs, "client")},
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
		log.Fatal("usage: standin receive|send PORT CERTS DISK")
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
