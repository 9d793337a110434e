//! Names of fields that mean the same wherever they are used: in lines of pairs, tables, CEF, LEEF.
//!
//! Letters count, case and signs between words do not: `src_ip`, `srcIp` and `source.ip` are one name each. A name that
//! is not known here leaves the value to its looks.

use super::event::Meaning;

/// Number of the object that properties of translated (NAT) addresses belong to.
const TRANSLATED: u16 = 1;

/// What a field of this name holds.
pub(super) fn meaning(name: &str) -> Meaning<'static> {
    let mut buffer = [0; 40];
    match plain(name, &mut buffer).and_then(property) {
        Some((path, group)) => Meaning::Property { path, group },
        None => Meaning::Open,
    }
}

/// The letters and digits of a name in lower case; `None` for one longer than any known.
fn plain<'b>(name: &str, buffer: &'b mut [u8; 40]) -> Option<&'b str> {
    let mut length = 0;
    for byte in name.bytes().filter(u8::is_ascii_alphanumeric) {
        *buffer.get_mut(length)? = byte.to_ascii_lowercase();
        length += 1;
    }
    std::str::from_utf8(&buffer[..length]).ok()
}

fn property(name: &str) -> Option<(&'static str, u16)> {
    let path = match name {
        // Ends of a connection.
        "src" | "srcip" | "srcipv4" | "srcipv6" | "srcaddr" | "srcaddress" | "srcipaddr" | "srcipaddress"
        | "sourceip" | "sourceipv4" | "sourceipv6" | "sourceaddr" | "sourceaddress" | "sourceipaddress" | "saddr"
        | "sip" | "ipsrc" | "clientip" | "clientaddr" | "clientaddress" | "clientipaddress" | "client" | "cip"
        | "callerip" | "calleripaddress" | "remoteip" | "remoteaddr" | "remoteaddress" | "remoteipaddress"
        | "rhost" | "attackerip" | "attackeraddress" | "idorigh" | "origh" | "identsrc" | "httpclientip" => {
            "network-traffic:src_ref.value"
        }
        "dst"
        | "dstip"
        | "dstipv4"
        | "dstipv6"
        | "dstaddr"
        | "dstaddress"
        | "dstipaddr"
        | "dstipaddress"
        | "destip"
        | "destipv4"
        | "destipv6"
        | "destaddr"
        | "destaddress"
        | "destipaddress"
        | "destinationip"
        | "destinationipv4"
        | "destinationipv6"
        | "destinationaddr"
        | "destinationaddress"
        | "destinationipaddress"
        | "daddr"
        | "dip"
        | "ipdst"
        | "serverip"
        | "serveraddr"
        | "serveraddress"
        | "targetip"
        | "targetaddress"
        | "idresph"
        | "resph" => "network-traffic:dst_ref.value",
        "spt" | "sport" | "srcport" | "sourceport" | "clientport" | "remoteport" | "idorigp" | "origp" => {
            "network-traffic:src_port"
        }
        "dpt" | "dport" | "dstport" | "destport" | "destinationport" | "serverport" | "targetport" | "idrespp"
        | "respp" => "network-traffic:dst_port",
        "proto" | "protocol" | "transport" | "ipprotocol" | "ipproto" | "networktransport" | "networkprotocol"
        | "appproto" | "l4proto" => "network-traffic:protocols[*]",

        // The same behind address translation.
        "sourcetranslatedaddress"
        | "srcnatip"
        | "natsrcip"
        | "natsrc"
        | "srcpostnat"
        | "srcprenat"
        | "transip"
        | "sourcenatip"
        | "srctransip"
        | "nattedsourceip"
        | "natsourceip"
        | "srcxlated"
        | "xlatesrc" => {
            return Some(("network-traffic:src_ref.value", TRANSLATED));
        }
        "destinationtranslatedaddress"
        | "dstnatip"
        | "natdstip"
        | "natdst"
        | "dstpostnat"
        | "dstprenat"
        | "tranip"
        | "destinationnatip"
        | "dsttransip"
        | "natteddestinationip"
        | "natdestinationip"
        | "dstxlated"
        | "xlatedst" => return Some(("network-traffic:dst_ref.value", TRANSLATED)),
        "sourcetranslatedport" | "natsport" | "transport0" | "srcnatport" => {
            return Some(("network-traffic:src_port", TRANSLATED));
        }
        "destinationtranslatedport" | "natdport" | "tranport" | "dstnatport" => {
            return Some(("network-traffic:dst_port", TRANSLATED));
        }

        // Addresses and names of no particular end.
        "ip"
        | "ips"
        | "ipv4"
        | "ipv6"
        | "ipaddr"
        | "ipaddress"
        | "addr"
        | "address"
        | "hostip"
        | "deviceip"
        | "dvc"
        | "dvcip"
        | "observerip"
        | "relatedip"
        | "assignedip"
        | "assignip"
        | "tunnelip"
        | "xforwardedfor"
        | "xff"
        | "forwardedfor"
        | "devicetranslatedaddress"
        | "fw"
        | "resolvedip"
        | "dnsresolvedip" => "ipv4-addr:value",
        "domain"
        | "domainname"
        | "fqdn"
        | "host"
        | "hostname"
        | "hosts"
        | "query"
        | "queryname"
        | "dnsquery"
        | "dnsqueryname"
        | "qname"
        | "rrname"
        | "dnsquestionname"
        | "questionname"
        | "sni"
        | "tlssni"
        | "servername"
        | "tlsservername"
        | "tlsclientservername"
        | "shost"
        | "srchost"
        | "srchostname"
        | "sourcehost"
        | "sourcehostname"
        | "sourcedomain"
        | "srcname"
        | "srcdomain"
        | "dhost"
        | "dsthost"
        | "dsthostname"
        | "desthost"
        | "desthostname"
        | "destinationhost"
        | "destinationhostname"
        | "destinationdomain"
        | "dstname"
        | "dstdomain"
        | "destdomain"
        | "urldomain"
        | "urlregistereddomain"
        | "urlhost"
        | "httphost"
        | "csh"
        | "cshost"
        | "xhostheader"
        | "hostheader"
        | "computer"
        | "computername"
        | "workstation"
        | "workstationname"
        | "dvchost"
        | "identhostname"
        | "sourcednsdomain"
        | "destinationdnsdomain"
        | "devicednsdomain"
        | "serverdomain"
        | "clientdomain"
        | "relatedhosts"
        | "vhost"
        | "virtualhost"
        | "site"
        | "website" => "domain-name:value",
        "url"
        | "urls"
        | "uri"
        | "requesturl"
        | "requesturi"
        | "urlfull"
        | "urloriginal"
        | "fullurl"
        | "request"
        | "httpurl"
        | "requestcontext"
        | "link"
        | "href"
        | "referer"
        | "referrer"
        | "httpreferer"
        | "httpreferrer"
        | "httprefer"
        | "httprequestreferrer"
        | "referralurl"
        | "csreferer"
        | "csreferrer"
        | "redirecturl"
        | "destinationurl"
        | "targeturl"
        | "sourceurl" => "url:value",
        "email" | "emails" | "mail" | "emailaddress" | "mailaddress" | "useremail" | "userprincipalname" | "upn" => {
            "email-addr:value"
        }
        "mac"
        | "macaddr"
        | "macaddress"
        | "srcmac"
        | "smac"
        | "sourcemac"
        | "sourcemacaddress"
        | "srcmacaddress"
        | "dstmac"
        | "dmac"
        | "destmac"
        | "destinationmac"
        | "destinationmacaddress"
        | "dstmacaddress"
        | "devicemacaddress"
        | "hostmac"
        | "clientmac"
        | "origl2addr"
        | "respl2addr"
        | "hwaddr"
        | "mastersrcmac"
        | "masterdstmac"
        | "idorigl2addr"
        | "idrespl2addr" => "mac-addr:value",

        // Files.
        "md5" | "filemd5" | "md5hash" | "hashmd5" | "filehashmd5" | "md5sum" => "file:hashes.MD5",
        "sha1" | "filesha1" | "sha1hash" | "hashsha1" | "filehashsha1" | "sha1sum" => "file:hashes.SHA-1",
        "sha256" | "filesha256" | "sha256hash" | "hashsha256" | "filehashsha256" | "sha256sum" => "file:hashes.SHA-256",
        "sha384" | "filesha384" | "hashsha384" | "filehashsha384" => "file:hashes.SHA-384",
        "sha512" | "filesha512" | "sha512hash" | "hashsha512" | "filehashsha512" | "sha512sum" => "file:hashes.SHA-512",
        "ssdeep" | "filehashssdeep" => "file:hashes.SSDEEP",
        "tlsh" | "filehashtlsh" => "file:hashes.TLSH",
        "filename" | "fname" | "file" | "attachment" | "attachmentname" | "origfilename" => "file:name",
        "filepath" | "targetfilename" | "fullpath" | "imageloaded" => "file:path",
        "oldfilename" => return Some(("file:name", 1)),
        "oldfilepath" => return Some(("file:path", 1)),

        // Processes and users.
        "image" | "processpath" | "processexecutable" | "exe" | "imagepath" | "newprocessname" => {
            "process:image_ref.path"
        }
        "process" | "processname" | "procname" | "dproc" | "comm" | "proc" => "process:image_ref.name",
        "sproc" => return Some(("process:image_ref.name", 1)),
        "commandline" | "cmdline" | "processcommandline" | "cmd" => "process:command_line",
        "pid" | "processid" | "processpid" | "dpid" => "process:pid",
        "spid" => return Some(("process:pid", 1)),
        "currentdirectory" | "cwd" => "process:cwd",
        "parentimage" | "parentprocesspath" | "parentprocessexecutable" => "process:parent_ref.image_ref.path",
        "parentprocessname" | "processparentname" => "process:parent_ref.image_ref.name",
        "parentcommandline" | "processparentcommandline" => "process:parent_ref.command_line",
        "parentprocessid" | "ppid" | "processparentpid" => "process:parent_ref.pid",
        "user" | "username" | "usr" | "usrname" | "login" | "loginname" | "account" | "accountname" | "suser"
        | "srcuser" | "sourceuser" | "sourceusername" | "subjectusername" | "csusername" => {
            "user-account:account_login"
        }
        "duser" | "dstuser" | "destinationuser" | "destinationusername" | "targetusername" | "targetuser" => {
            return Some(("user-account:account_login", 1));
        }
        "targetobject" | "registrykey" | "registrypath" => "windows-registry-key:key",

        // Mail.
        "from" | "mailfrom" | "sender" | "senderaddress" | "emailfrom" | "emailfromaddress" | "smtpfrom"
        | "fromaddress" | "envelopefrom" => "email-message:from_ref.value",
        "to" | "rcptto" | "recipient" | "recipients" | "recipientaddress" | "emailto" | "emailtoaddress" | "smtpto"
        | "toaddress" | "envelopeto" | "rcpt" => "email-message:to_refs[*].value",
        "cc" | "emailcc" => "email-message:cc_refs[*].value",
        "subject" | "emailsubject" | "mailsubject" => "email-message:subject",
        "messageid" | "emailmessageid" | "internetmessageid" => "email-message:message_id",

        // The rest of requests and certificates.
        "useragent"
        | "ua"
        | "agent"
        | "httpuseragent"
        | "requestclientapplication"
        | "csuseragent"
        | "useragentoriginal" => "network-traffic:extensions.http-request-ext.request_header.User-Agent",
        "certserial" | "serialnumber" | "certificateserial" | "certificateserialnumber" => {
            "x509-certificate:serial_number"
        }
        "certissuer" | "issuerdn" | "certificateissuer" => "x509-certificate:issuer",
        "certsubject" | "subjectdn" | "certificatesubject" => "x509-certificate:subject",
        "asn" | "asnumber" | "srcasn" | "sourceasn" | "sourceasnumber" => "autonomous-system:number",
        _ => return None,
    };
    Some((path, 0))
}

/// Whether a name is known at all.
pub(super) fn is_known(name: &str) -> bool {
    meaning(name) != Meaning::Open || special(name).is_some()
}

/// Fields whose value is a list with a form of its own.
pub(super) enum Special {
    /// Digests, perhaps with the names of their algorithms.
    Digests,
    /// Sysmon's answers of the DNS.
    Answers,
}

/// Whether a field of this name has a form of its own.
pub(super) fn special(name: &str) -> Option<Special> {
    let mut buffer = [0; 40];
    match plain(name, &mut buffer)? {
        "hash" | "hashes" | "filehash" | "filehashes" | "relatedhash" | "digest" | "checksum" => Some(Special::Digests),
        "queryresults" => Some(Special::Answers),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_signs_do_not_matter() {
        for name in ["src_ip", "srcIp", "SRC-IP", "src.ip", "SrcIP", "source.ip", "SRC"] {
            assert_eq!(meaning(name), Meaning::property("network-traffic:src_ref.value"), "{name}");
        }
        for name in ["", "note", "source of all that is good and true in the whole wide world", "src ip 2"] {
            assert_eq!(meaning(name), Meaning::Open, "{name}");
        }
    }
}
