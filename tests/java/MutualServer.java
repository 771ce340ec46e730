import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * An HTTPS server that requires a client certificate:
 * java MutualServer.java KEY_STORE TRUST_STORE PASSPHRASE
 *
 * <p>It prints its port, greets every client by its subject, and logs why it refused one.
 */
public class MutualServer {
    public static void main(String[] args) throws Exception {
        SSLContext context = context(args[0], args[1], args[2].toCharArray());
        SSLServerSocket listener = (SSLServerSocket) context.getServerSocketFactory()
            .createServerSocket(0, 50, InetAddress.getLoopbackAddress());
        listener.setNeedClientAuth(true);
        System.out.println(listener.getLocalPort());
        while (true) {
            try (SSLSocket client = (SSLSocket) listener.accept()) {
                client.setSoTimeout(60_000);
                serve(client);
            } catch (IOException refusal) {
                System.err.println("refused: " + refusal.getMessage());
            }
        }
    }

    private static SSLContext context(String keyStore, String trustStore, char[] passphrase)
            throws Exception {
        KeyManagerFactory keys =
            KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(open(keyStore, passphrase), passphrase);
        TrustManagerFactory trusted =
            TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trusted.init(open(trustStore, passphrase));
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trusted.getTrustManagers(), null);
        return context;
    }

    private static KeyStore open(String file, char[] passphrase) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream content = new FileInputStream(file)) {
            store.load(content, passphrase);
        }
        return store;
    }

    private static void serve(SSLSocket client) throws IOException {
        client.startHandshake();
        X509Certificate peer =
            (X509Certificate) client.getSession().getPeerCertificates()[0];
        String body = "hello " + peer.getSubjectX500Principal().getName() + "\n";
        InputStream request = client.getInputStream();
        String read = "";
        while (!read.endsWith("\r\n\r\n")) {
            int octet = request.read();
            if (octet < 0) {
                throw new IOException("the client went away");
            }
            read += (char) octet;
        }
        String head = "HTTP/1.0 200 OK\r\nContent-Length: " + body.length() + "\r\n\r\n";
        client.getOutputStream().write((head + body).getBytes(StandardCharsets.US_ASCII));
    }
}
