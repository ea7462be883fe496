/// Every method of ours: what the server registers, and what the interface files are checked against.
package enum ControlMethods {
    package static var all: [any ControlMethod.Type] {
        [
            ServerInterface.Hello.self, ServerInterface.GetStatus.self, ServerInterface.Setup.self,
            ServerInterface.CheckSetup.self, ServerInterface.Watch.self, ServerInterface.Unlock.self,
            ServerInterface.Announce.self, ServerInterface.GetCertificate.self, ServerInterface.MakeCertificate.self,
            SettingsInterface.List.self, SettingsInterface.Validate.self, SettingsInterface.Apply.self,
            SettingsInterface.History.self, SettingsInterface.Revert.self,
            DirectoryInterface.ListDomains.self, DirectoryInterface.AddDomain.self,
            DirectoryInterface.ChangeDomain.self,
            DirectoryInterface.RemoveDomain.self, DirectoryInterface.OpenDomain.self,
            DirectoryInterface.ListAccounts.self,
            DirectoryInterface.GetAccount.self, DirectoryInterface.AddAccount.self,
            DirectoryInterface.ChangeAccount.self, DirectoryInterface.RemoveAccount.self,
            DirectoryInterface.AccountUsage.self,
            DirectoryInterface.BeginTransfer.self, DirectoryInterface.SendAccounts.self,
            DirectoryInterface.FinishTransfer.self, DirectoryInterface.ListTransfer.self,
            DirectoryInterface.EndTransfer.self, DirectoryInterface.ExportAccounts.self,
            DirectoryInterface.GetAccountFile.self, DirectoryInterface.SetAccountFile.self,
            DirectoryInterface.CheckAccountFile.self, DirectoryInterface.GetMailControl.self,
            DirectoryInterface.SetMailControl.self, DirectoryInterface.TestAccount.self,
            DirectoryInterface.CheckDirectory.self, DirectoryInterface.LogIn.self,
            AliasInterface.List.self, AliasInterface.Get.self, AliasInterface.Add.self,
            AliasInterface.Change.self, AliasInterface.Set.self, AliasInterface.Remove.self,
            AliasInterface.Send.self, AliasInterface.Import.self, AliasInterface.Export.self,
            AliasInterface.Test.self,
            ServicesInterface.List.self, ServicesInterface.Act.self,
            QueueInterface.List.self, QueueInterface.Show.self, QueueInterface.Act.self,
            QueueInterface.Destinations.self,
            GuardInterface.ListLocks.self, GuardInterface.ChangeLock.self, GuardInterface.ListSenders.self,
            GuardInterface.ShowSender.self, GuardInterface.ForgetSender.self,
            LogInterface.Search.self, LogInterface.Tail.self,
            PolicyInterface.Explain.self, PolicyInterface.Evaluate.self, PolicyInterface.Relay.self,
            PolicyInterface.Replay.self, PolicyInterface.Refusals.self, LogInterface.Trace.self,
            TablesInterface.Show.self, TablesInterface.Check.self, TablesInterface.Set.self,
        ]
    }
}
