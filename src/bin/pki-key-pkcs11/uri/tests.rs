use super::*;

fn uri(text: &str) -> Uri {
    match Uri::parse(text) {
        Ok(uri) => uri,
        Err(failure) => panic!("{text}: {}", failure.into_problem().message),
    }
}

fn refusal(text: &str) -> String {
    let problem = Uri::parse(text).expect_err(text).into_problem();
    assert_eq!(problem.code, Code::InvalidUri, "{text}");
    problem.message
}

#[test]
fn attributes_are_percent_decoded() {
    let parsed = uri("pkcs11:token=My%20Token;object=%E9%8D%B5;id=%00%01%fF;type=private");
    assert_eq!(parsed.token.as_deref(), Some(&b"My Token"[..]));
    assert_eq!(parsed.object.as_deref(), Some("鍵".as_bytes()));
    assert_eq!(parsed.id.as_deref(), Some(&[0, 1, 0xff][..]));
    assert!(parsed.names_key());
}

#[test]
fn every_attribute_has_its_field() {
    let parsed = uri(
        "PKCS11:manufacturer=a;model=b;serial=c;slot-id=42;slot-description=d;slot-manufacturer=e;\
         library-description=f;library-manufacturer=g;library-version=3.1?module-path=/usr/lib/x.so",
    );
    let text = |value: &Option<Vec<u8>>| String::from_utf8(value.clone().unwrap()).unwrap();
    assert_eq!(text(&parsed.manufacturer), "a");
    assert_eq!(text(&parsed.model), "b");
    assert_eq!(text(&parsed.serial), "c");
    assert_eq!(parsed.slot_id, Some(42));
    assert_eq!(text(&parsed.slot_description), "d");
    assert_eq!(text(&parsed.slot_manufacturer), "e");
    assert_eq!(text(&parsed.library_description), "f");
    assert_eq!(text(&parsed.library_manufacturer), "g");
    assert_eq!(text(&parsed.library_version), "3.1");
    assert_eq!(parsed.module_path, Some("/usr/lib/x.so".into()));
    assert!(!parsed.names_key());
}

#[test]
fn examples_of_the_rfc_are_read() {
    uri("pkcs11:");
    uri("pkcs11:object=my-pubkey;type=public");
    uri(
        "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;\
         model=1.0;object=my-key;type=private;id=%69%95%3E%5C%F4%BD%EC%91;serial=",
    );
    uri("pkcs11:object=a&b;token=x?vendor=1&vendor=2&module-name=softhsm2");
}

#[test]
fn a_pin_in_the_uri_is_refused() {
    for text in [
        "pkcs11:object=a?pin-value=1234",
        "pkcs11:object=a?pin-source=file:/etc/pin",
        "pkcs11:object=a;pin-value=1234",
    ] {
        let message = refusal(text);
        assert!(message.contains("over the pipe"), "{message}");
        assert!(!message.contains("1234"), "{message}");
    }
}

#[test]
fn an_attribute_stands_once() {
    assert!(refusal("pkcs11:object=a;object=a").contains("object is there twice"));
    assert!(refusal("pkcs11:id=a;token=b;id=c").contains("id is there twice"));
    assert!(refusal("pkcs11:type=private;type=private").contains("twice"));
    assert!(refusal("pkcs11:?module-path=/a&module-path=/b").contains("twice"));
}

#[test]
fn malformed_uris_are_refused() {
    assert!(refusal("").contains("does not begin"));
    assert!(refusal("pkcs1").contains("does not begin"));
    assert!(refusal("鍵鍵鍵").contains("does not begin"));
    assert!(refusal("pkcs11:object=%4").contains("hex digits"));
    assert!(refusal("pkcs11:object=%+1").contains("hex digits"));
    assert!(refusal("pkcs11:object=a b").contains("%20"));
    assert!(refusal("pkcs11:object=a/b").contains("%2F"));
    assert!(refusal("pkcs11:object=鍵").contains("%E9%8D%B5"));
    assert!(refusal("pkcs11:object").contains("no value"));
    assert!(refusal("pkcs11:object=a;").contains("no value"));
    assert!(refusal("pkcs11:=a").contains("name of an attribute"));
    assert!(refusal("pkcs11:object=").contains("object is empty"));
    assert!(refusal("pkcs11:id=").contains("id is empty"));
    assert!(refusal("pkcs11:type=cert").contains("type"));
    assert!(refusal("pkcs11:x-vendor=1").contains("x-vendor is unknown"));
    assert!(refusal("pkcs11:Object=a").contains("unknown"));
    assert!(refusal("pkcs11:slot-id=0x1").contains("slot-id"));
    assert!(refusal("pkcs11:slot-id=").contains("slot-id"));
    assert!(refusal("pkcs11:slot-id=99999999999999999999").contains("slot-id"));
    assert!(refusal("pkcs11:?module-path=x.so").contains("not absolute"));
    assert!(refusal("pkcs11:?module-name=../x").contains("module-name"));
}

#[test]
fn a_very_long_uri_is_refused() {
    let longest = format!("pkcs11:object={}", "a".repeat(MOST - 14));
    assert_eq!(longest.len(), MOST);
    uri(&longest);
    assert!(refusal(&(longest + "a")).contains("longer than"));
}

#[test]
fn what_is_written_reads_back() {
    let written = Uri {
        token: Some(b"a;b?c&d e".to_vec()),
        serial: Some(Vec::new()),
        slot_id: Some(7),
        object: Some("ルートCA".into()),
        id: Some(vec![0, 0x41, 0xff]),
        module_path: Some("/opt/a b/x&y.so".into()),
        module_name: Some("x".into()),
        ..Uri::default()
    };
    let text = written.to_string();
    assert!(text.contains("id=%00%41%FF"), "{text}");
    assert_eq!(uri(&text), written);
    assert_eq!(uri(&Uri::default().to_string()), Uri::default());
}
