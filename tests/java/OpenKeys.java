import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.spec.KeySpec;
import java.util.Base64;
import javax.crypto.Cipher;
import javax.crypto.EncryptedPrivateKeyInfo;
import javax.crypto.SecretKey;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/** Opens encrypted key files: java OpenKeys.java PASSPHRASE FILE... */
public class OpenKeys {
    private static final String[] ALGORITHMS = {"EC", "RSA", "EdDSA"};

    public static void main(String[] args) throws Exception {
        char[] passphrase = args[0].toCharArray();
        int opened = 0;
        for (int i = 1; i < args.length; i++) {
            open(decrypt(Path.of(args[i]), passphrase), args[i]);
            opened++;
        }
        System.out.println(opened + " opened");
    }

    private static KeySpec decrypt(Path file, char[] passphrase) throws Exception {
        String base64 = Files.readString(file)
            .replace("-----BEGIN ENCRYPTED PRIVATE KEY-----", "")
            .replace("-----END ENCRYPTED PRIVATE KEY-----", "");
        EncryptedPrivateKeyInfo info =
            new EncryptedPrivateKeyInfo(Base64.getMimeDecoder().decode(base64));
        // PBES2 names its parts only in its parameters.
        String algorithm = info.getAlgParameters().toString();
        SecretKey key = SecretKeyFactory.getInstance(algorithm)
            .generateSecret(new PBEKeySpec(passphrase));
        Cipher cipher = Cipher.getInstance(algorithm);
        cipher.init(Cipher.DECRYPT_MODE, key, info.getAlgParameters());
        return info.getKeySpec(cipher);
    }

    private static void open(KeySpec key, String file) throws Exception {
        for (String algorithm : ALGORITHMS) {
            try {
                KeyFactory.getInstance(algorithm).generatePrivate(key);
                return;
            } catch (java.security.spec.InvalidKeySpecException notThisOne) {
                continue;
            }
        }
        throw new IllegalArgumentException(file + ": a key of no known algorithm");
    }
}
