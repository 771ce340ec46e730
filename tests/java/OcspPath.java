import java.io.ByteArrayInputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.Set;

/** Asks an OCSP responder about paths: java OcspPath.java ROOT RESPONDER FULLCHAIN...
 * With - as the responder it asks those that the certificates name. It asks about the leaf alone, and then about
 * the chain. */
public class OcspPath {
    private static CertificateFactory factory;

    public static void main(String[] args) throws Exception {
        factory = CertificateFactory.getInstance("X.509");
        X509Certificate root = (X509Certificate) factory.generateCertificate(read(args[0]));
        for (boolean isLeaf : new boolean[] {true, false}) {
            for (int i = 2; i < args.length; i++) {
                System.out.println(args[i] + ": " + check(root, args[1], isLeaf, args[i]));
            }
        }
    }

    private static ByteArrayInputStream read(String file) throws Exception {
        return new ByteArrayInputStream(Files.readAllBytes(Path.of(file)));
    }

    private static String check(X509Certificate root, String responder, boolean isLeaf, String file)
            throws Exception {
        CertPath path = factory.generateCertPath(
            factory.generateCertificates(read(file)).stream().toList());
        CertPathValidator validator = CertPathValidator.getInstance("PKIX");
        PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
        EnumSet<PKIXRevocationChecker.Option> options =
            EnumSet.of(PKIXRevocationChecker.Option.NO_FALLBACK);
        if (isLeaf) {
            options.add(PKIXRevocationChecker.Option.ONLY_END_ENTITY);
        }
        checker.setOptions(options);
        if (!responder.equals("-")) {
            checker.setOcspResponder(URI.create(responder));
        }
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
        parameters.addCertPathChecker(checker);
        try {
            validator.validate(path, parameters);
            return "good";
        } catch (CertPathValidatorException refusal) {
            return refusal.getReason().toString() + " at " + refusal.getIndex();
        }
    }
}
