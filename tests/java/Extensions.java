import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Set;
import java.util.TreeSet;

/** Prints the extensions of a certificate as tests/python/extensions.py does: java Extensions.java CERTIFICATE */
public class Extensions {
    public static void main(String[] args) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        X509Certificate certificate;
        try (var file = Files.newInputStream(Path.of(args[0]))) {
            certificate = (X509Certificate) factory.generateCertificate(file);
        }
        Set<String> lines = new TreeSet<>();
        add(lines, certificate, certificate.getCriticalExtensionOIDs(), "critical");
        add(lines, certificate, certificate.getNonCriticalExtensionOIDs(), "-");
        lines.forEach(System.out::println);
    }

    private static void add(Set<String> lines, X509Certificate certificate, Set<String> oids, String critical) {
        for (String oid : oids) {
            byte[] wrapped = certificate.getExtensionValue(oid);
            // An OCTET STRING of less than 128 bytes has a header of two.
            int header = wrapped[1] >= 0 ? 2 : 2 + (wrapped[1] & 0x7f);
            byte[] value = Arrays.copyOfRange(wrapped, header, wrapped.length);
            lines.add(oid + " " + critical + " " + HexFormat.of().formatHex(value));
        }
    }
}
