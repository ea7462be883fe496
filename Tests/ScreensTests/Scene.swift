import Control

@testable import ConsoleCore

/// The states of the console that are kept as pictures.
enum Scene {
    typealias Make = @Sendable (ConsoleCore.Language, Int, Int) -> Driver

    static let all: [String: Make] = {
        var scenes: [String: Make] = [:]
        for page in PageID.allCases {
            scenes["page-\(page.rawValue)"] = { language, columns, rows in
                var driver = Driver(language, columns: columns, rows: rows)
                driver.go(page)
                return driver
            }
        }
        for (name, body) in dialogs {
            scenes[name] = { language, columns, rows in
                var driver = Driver(language, columns: columns, rows: rows)
                body(&driver)
                return driver
            }
        }
        for step in 1...6 {
            scenes["wizard-\(step)"] = { language, columns, rows in wizard(step, language, columns, rows) }
        }
        scenes["wizard-1-system"] = { language, columns, rows in
            var driver = wizard(1, language, columns, rows)
            driver.keys(.down, .tab)
            driver.type("mail-users")
            return driver
        }
        scenes["wizard-1-ldap"] = { language, columns, rows in wizardLDAP(language, columns, rows) }
        scenes["wizard-1-check"] = { language, columns, rows in
            var driver = wizardLDAP(language, columns, rows)
            driver.keys(.tab, .tab, .tab, .tab, .enter)
            return driver
        }
        scenes["start-offline"] = { Driver($0, columns: $1, rows: $2, connects: false) }
        scenes["unlock"] = { language, columns, rows in
            var server = FakeServer()
            server.hello.isLocked = true
            return Driver(language, columns: columns, rows: rows, server: server)
        }
        scenes["wizard-done"] = { language, columns, rows in
            var driver = wizard(6, language, columns, rows)
            driver.keys(.control("o"), .control("o"))
            return driver
        }
        return scenes
    }()

    private static func wizardLDAP(_ language: ConsoleCore.Language, _ columns: Int, _ rows: Int) -> Driver {
        var driver = wizard(1, language, columns, rows)
        driver.keys(.down, .down, .tab, .tab)
        driver.type("ldap://dc1.example.jp")
        driver.keys(.tab, .tab)
        driver.type("dc=exampel,dc=jp")
        return driver
    }

    /// Accounts come from a directory.
    static func directory(_ driver: inout Driver) {
        driver.other("accounts.backend", ["ldap"])
        driver.other("ldap.url", ["ldap://dc1.example.jp"])
        driver.other("ldap.base", ["dc=example,dc=jp"])
    }

    private static let dialogs: [String: @Sendable (inout Driver) -> Void] = [
        "server-staged": { driver in
            driver.go(.server)
            driver.type("9")
            driver.keys(.tab)
        },
        "server-lost": { driver in
            driver.go(.server)
            driver.lose()
        },
        "password": { driver in
            driver.go(.server)
            driver.keys(.backTab, .enter)
        },
        "gateway-table": { driver in
            driver.go(.server)
            driver.keys(.tab, .enter)
        },
        "domain-details": { driver in
            driver.go(.domain)
            driver.keys(.down, .enter)
        },
        "accounts-source": { driver in
            directory(&driver)
            driver.go(.domain)
            driver.keys(.up, .up, .up, .right, .enter)
        },
        "directory-check": { driver in
            directory(&driver)
            driver.go(.accounts)
            driver.keys(.down, .character("v"))
        },
        "accounts-directory": { driver in
            directory(&driver)
            driver.go(.accounts)
            driver.keys(.character("m"))
        },
        "account-directory": { driver in
            directory(&driver)
            driver.go(.accounts)
            driver.keys(.down, .enter)
        },
        "domain-delete": { driver in
            driver.go(.domain)
            driver.keys(.character("d"))
        },
        "service-stop": { driver in
            driver.go(.service)
            driver.keys(.enter)
        },
        "receiver-details": { driver in
            driver.go(.service)
            driver.keys(.tab, .tab, .tab, .enter)
        },
        "account-change": { driver in
            driver.go(.accounts)
            driver.keys(.down, .enter)
        },
        "account-add": { driver in
            driver.go(.accounts)
            driver.keys(.character("a"))
        },
        "account-menu": { driver in
            driver.go(.accounts)
            driver.keys(.character("m"))
        },
        "account-delete": { driver in
            driver.go(.accounts)
            driver.keys(.down, .character("d"))
        },
        "mail-control": { driver in
            driver.go(.accounts)
            driver.keys(.down, .character("c"))
        },
        "mail-control-changed": { driver in
            driver.go(.accounts)
            driver.keys(.down, .character("c"), .tab, .right, .right, .tab)
            driver.type("desk@example.jp")
            driver.server.control.subject = "Back on Monday"
            driver.keys(.control("o"))
        },
        "alias-staged": { driver in
            driver.go(.alias)
            driver.keys(.down, .character("d"), .character("a"))
            driver.type("info")
            driver.keys(.tab)
            driver.type("desk@example.jp")
            driver.keys(.control("o"))
        },
        "alias-change": { driver in
            driver.go(.alias)
            driver.keys(.enter)
        },
        "alias-test": { driver in
            driver.go(.alias)
            driver.keys(.character("t"))
        },
        "alias-import": { driver in
            driver.go(.alias)
            driver.files["/tmp/a.tsv"] = "info@example.jp\tdesk@example.jp\n"
            driver.keys(.character("i"))
            driver.type("/tmp/a.tsv")
            driver.keys(.control("o"))
        },
        "account-who": { driver in
            driver.go(.accounts)
            driver.keys(.down, .character("w"))
        },
        "account-hours": { driver in
            driver.go(.accounts)
            driver.keys(.down, .character("h"), .down)
        },
        "account-recipients": { driver in
            driver.go(.accounts)
            driver.keys(.down, .character("r"), .end)
            driver.type("?")
        },
        "queue-remove": { driver in
            driver.go(.queue)
            driver.keys(.character(" "), .character(" "), .character(" "), .character("d"))
        },
        "queue-message": { driver in
            driver.go(.queue)
            driver.keys(.enter)
        },
        "sender-sessions": { driver in
            driver.go(.senders)
            driver.keys(.enter)
        },
        "sender-lock": { driver in
            driver.go(.senders)
            driver.keys(.character("k"))
        },
        "review-conflict": { driver in
            driver.go(.server)
            driver.type("9")
            driver.keys(.tab)
            driver.other("server.smtp_gateway", ["gw.example.jp"])
            driver.keys(.control("r"))
        },
        "relay-staged": { driver in
            driver.go(.relay)
            driver.keys(.backTab, .control("u"))
            driver.type("192.168.0.15")
            driver.keys(.tab, .down, .enter)
            driver.keys(.tab, .enter, .character("t"), .enter, .control("o"))
        },
        "relay-replay": { driver in
            driver.go(.relay)
            driver.keys(.down, .enter, .tab, .enter, .character("t"), .enter, .control("o"))
            driver.keys(.control("o"))
        },
        "trace-found": { driver in
            driver.go(.trace)
            driver.type("kawa@sales.example.jp")
            driver.keys(.control("o"))
        },
        "relay-rule": { driver in
            driver.go(.relay)
            driver.keys(.down, .enter)
        },
        "relay-cell": { driver in
            driver.go(.relay)
            driver.keys(.tab, .down, .right, .right, .enter)
        },
        "relay-editor": { driver in
            driver.go(.relay)
            driver.keys(.character("x"), .end)
            driver.type(" x")
        },
        "simulate-refused": { driver in
            driver.go(.simulate)
            driver.keys(.tab, .tab, .tab, .tab, .tab, .tab, .tab)
            driver.type("a@bad.example")
            driver.keys(.tab)
            driver.type("ito@far.example")
            driver.keys(.control("o"))
        },
        "help": { driver in
            driver.go(.server)
            driver.keys(.function(1))
        },
        "palette": { driver in driver.keys(.control("g")) },
    ]

    static func wizard(_ step: Int, _ language: ConsoleCore.Language, _ columns: Int, _ rows: Int) -> Driver {
        var server = FakeServer()
        server.hello.isConfigured = false
        server.domains = []
        server.services = server.services.map { status in
            var status = status
            status.state = .notRegistered
            return status
        }
        server.setupSteps = [
            SetupStep(step: "settings", state: .done), SetupStep(step: "certificate", state: .done),
            SetupStep(step: "register.epstrs", state: .done), SetupStep(step: "start.epstrs", state: .done),
            SetupStep(step: "register.epstds", state: .done),
            SetupStep(step: "start.epstds", state: .failed, message: "port 25 is used by pid 881 (postfix)"),
        ]
        var driver = Driver(language, columns: columns, rows: rows, server: server)
        if step > 1 { driver.keys(.control("o")) }
        if step > 2 {
            driver.type("192.168.1.4")
            driver.keys(.control("o"))
        }
        if step > 3 {
            driver.type("example.jp")
            driver.keys(.tab)
            driver.type("192.168.0.1")
            driver.keys(.control("o"))
        }
        if step > 4 {
            driver.type("postmaster@example.jp")
            driver.keys(.control("o"))
        }
        if step > 5 { driver.keys(.control("o")) }
        return driver
    }
}
