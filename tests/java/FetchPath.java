import java.io.FileInputStream;
import java.io.InputStream;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateRevokedException;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.PKIXCertPathBuilderResult;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Set;

/** Builds paths with what the URLs in certificates lead to: java FetchPath.java ROOT LEAF... */
public class FetchPath {
    private static CertificateFactory factory;

    public static void main(String[] args) throws Exception {
        factory = CertificateFactory.getInstance("X.509");
        X509Certificate root = read(args[0]);
        for (int i = 1; i < args.length; i++) {
            System.out.println(args[i] + ": " + build(root, read(args[i])));
        }
    }

    private static X509Certificate read(String file) throws Exception {
        try (InputStream input = new FileInputStream(file)) {
            return (X509Certificate) factory.generateCertificate(input);
        }
    }

    private static String build(X509Certificate root, X509Certificate leaf) throws Exception {
        X509CertSelector selector = new X509CertSelector();
        selector.setCertificate(leaf);
        PKIXBuilderParameters parameters =
            new PKIXBuilderParameters(Set.of(new TrustAnchor(root, null)), selector);
        parameters.addCertStore(CertStore.getInstance(
            "Collection", new CollectionCertStoreParameters(List.of(leaf))));
        try {
            PKIXCertPathBuilderResult result =
                (PKIXCertPathBuilderResult) CertPathBuilder.getInstance("PKIX").build(parameters);
            return "good, " + result.getCertPath().getCertificates().size() + " certificates";
        } catch (CertPathBuilderException refusal) {
            Throwable cause = refusal;
            while (cause.getCause() != null) {
                cause = cause.getCause();
            }
            return cause instanceof CertificateRevokedException ? "revoked" : cause.toString();
        }
    }
}
