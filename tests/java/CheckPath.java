import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.Set;

/** Checks paths against lists: java CheckPath.java ROOT LISTS FULLCHAIN... */
public class CheckPath {
    private static CertificateFactory factory;

    public static void main(String[] args) throws Exception {
        factory = CertificateFactory.getInstance("X.509");
        X509Certificate root = (X509Certificate) factory.generateCertificate(read(args[0]));
        CertStore lists = CertStore.getInstance(
            "Collection", new CollectionCertStoreParameters(factory.generateCRLs(read(args[1]))));
        for (int i = 2; i < args.length; i++) {
            System.out.println(args[i] + ": " + check(root, lists, args[i]));
        }
    }

    private static ByteArrayInputStream read(String file) throws Exception {
        return new ByteArrayInputStream(Files.readAllBytes(Path.of(file)));
    }

    private static String check(X509Certificate root, CertStore lists, String file)
            throws Exception {
        CertPath path = factory.generateCertPath(
            factory.generateCertificates(read(file)).stream().toList());
        CertPathValidator validator = CertPathValidator.getInstance("PKIX");
        PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
        checker.setOptions(EnumSet.of(
            PKIXRevocationChecker.Option.PREFER_CRLS,
            PKIXRevocationChecker.Option.NO_FALLBACK));
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
        parameters.addCertStore(lists);
        parameters.addCertPathChecker(checker);
        try {
            validator.validate(path, parameters);
            return "good";
        } catch (CertPathValidatorException refusal) {
            return refusal.getReason().toString();
        }
    }
}
