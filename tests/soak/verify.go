// Verifies a client certificate with crypto/x509: verify TRUST_STORE CHAIN CRL...
package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
)

func blocks(file string) [][]byte {
	rest, err := os.ReadFile(file)
	check(err)
	var ders [][]byte
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return ders
		}
		ders = append(ders, block.Bytes)
	}
}

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
}

func refuse(why error) {
	fmt.Println(why)
	os.Exit(1)
}

func main() {
	options := x509.VerifyOptions{
		Roots:         x509.NewCertPool(),
		Intermediates: x509.NewCertPool(),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, der := range blocks(os.Args[1]) {
		certificate, err := x509.ParseCertificate(der)
		check(err)
		if certificate.CheckSignatureFrom(certificate) == nil {
			options.Roots.AddCert(certificate)
		} else {
			options.Intermediates.AddCert(certificate)
		}
	}
	leaf, err := x509.ParseCertificate(blocks(os.Args[2])[0])
	check(err)
	chains, err := leaf.Verify(options)
	if err != nil {
		refuse(err)
	}
	for _, file := range os.Args[3:] {
		crl, err := x509.ParseRevocationList(blocks(file)[0])
		check(err)
		chain := chains[0]
		for i, certificate := range chain[:len(chain)-1] {
			if crl.CheckSignatureFrom(chain[i+1]) != nil {
				continue
			}
			for _, entry := range crl.RevokedCertificates {
				if entry.SerialNumber.Cmp(certificate.SerialNumber) == 0 {
					refuse(fmt.Errorf("certificate revoked"))
				}
			}
		}
	}
}
