use crate::ca::import::subject::*;

#[test]
fn a_line_is_that_of_its_name_alone() {
    let name = Name::parse("/O=A\\/B\\+ Ünï/CN=päul\\\\x/CN=q").unwrap();
    let escaped = r"/O=A\/B\+ \xC3\x9Cn\xC3\xAF/CN=p\xC3\xA4ul\x/CN=q";
    let plain = r"/O=A/B+ \xC3\x9Cn\xC3\xAF/CN=p\xC3\xA4ul\x/CN=q";
    for line in [escaped, plain] {
        assert!(is_oneline(line.as_bytes(), &name), "{line}");
    }
    for line in [
        "",
        "/",
        "/CN=q",
        "/O=A/B+ Ünï/CN=päul/CN=q",
        &format!("{plain}/CN=r"),
        &plain.replace("/CN=q", "/CN=Q"),
    ] {
        assert!(!is_oneline(line.as_bytes(), &name), "{line}");
    }
    let name = Name::parse("/O=x/CN=a+OU=ab+L=c/CN=q").unwrap();
    for line in [
        "/O=x/CN=a+OU=ab+L=c/CN=q",
        "/O=x/L=c+OU=ab+CN=a/CN=q",
        "/O=x/OU=ab/CN=a/L=c/CN=q",
    ] {
        assert!(is_oneline(line.as_bytes(), &name), "{line}");
    }
    for line in [
        "/O=x/CN=a+OU=a+L=c/CN=q",
        "/O=x/CN=a+OU=ab/CN=q",
        "/O=x/CN=a+OU=ab+L=c",
    ] {
        assert!(!is_oneline(line.as_bytes(), &name), "{line}");
    }
    let nameless = Name::from_attributes([]).unwrap();
    assert!(is_oneline(b"", &nameless) && is_oneline(b"/", &nameless));
}

#[test]
fn what_a_line_says_is_read() {
    for (line, common_name, text) in [
        ("/O=Example/CN=x", "x", "CN=x,O=Example"),
        ("/CN=a/b/CN=c", "c", "CN=c,CN=a/b"),
        (r"/O=A\/B/CN=p\xC3\xA4ul", "päul", "CN=päul,O=A/B"),
        ("/1.2.3.4=odd/CN=x", "x", "CN=x,1.2.3.4=odd"),
        ("/odd=odd/CN=x", "x", "/odd=odd/CN=x"),
        ("/O=Example", "", "O=Example"),
        ("/O=x/OU=b+CN=a", "a", "CN=a+OU=b,O=x"),
        (r"/CN=a+b=c\x41\x5C", "a+b=cA\\", "CN=a\\+b=cA\\\\"),
        ("", "", ""),
        ("no name", "", "no name"),
    ] {
        let read = read(line.as_bytes());
        assert_eq!((&*read.common_name, &*read.text), (common_name, text));
    }
}
