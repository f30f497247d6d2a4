"""Small extracts as the systems write them, for the tests of the gate."""

from __future__ import annotations

import textwrap

from revscore.intake import Intake, Source, prepare


def load(*files: tuple[str, str], **options: object) -> Intake:
    """`prepare` over (name, text) pairs; the text may be indented."""
    return prepare([Source(name, textwrap.dedent(text).lstrip("\n").encode()) for name, text in files], **options)  # type: ignore[arg-type]


HUBSPOT_DEALS = ("hubspot-deals.csv", '''
    Record ID,Deal Name,Deal Stage,Pipeline,Close Date,Deal owner,Amount,Currency,Amount in company currency,Create Date,"Date entered ""Appointment Scheduled (Sales Pipeline)""","Date entered ""Qualified To Buy (Sales Pipeline)""","Date entered ""Contract Sent (Sales Pipeline)""","Date entered ""Closed Won (Sales Pipeline)""","Date entered ""Closed Lost (Sales Pipeline)""",Is Closed Won,Is closed lost,Associated Company,Associated Contact IDs,Deal Type
    9001,Acme roll-out,Closed Won,Sales Pipeline,2026-03-20 15:00,Ada Low,1000,EUR,1100,2026-01-05 09:00,2026-01-05 09:00,2026-01-20 10:00,2026-03-01 11:00,2026-03-20 15:00,,true,false,Acme,51;52,New Business
    9002,Beta pilot,Contract Sent,Sales Pipeline,2026-04-30 00:00,Bo Fry,2000,USD,2000,2026-02-01 09:00,2026-02-01 09:00,2026-02-10 10:00,2026-03-05 11:00,,,false,false,Beta,53,Existing Business
    9003,Gamma,Closed Lost,Sales Pipeline,2026-02-15 12:00,Ada Low,,USD,,2026-01-10 09:00,2026-01-10 09:00,,,,2026-02-15 12:00,false,true,,,New Business
    ''')
PIPEDRIVE_DEALS = ("deals.csv", '''
    Deal - ID,Deal - Title,Deal - Organization,Deal - Owner,Deal - Value,Deal - Currency of value,Deal - Stage,Deal - Pipeline,Deal - Status,Deal - Deal created,Deal - Won time,Deal - Lost time,Deal - Lost reason,Deal - Expected close date
    1,Acme,Acme Ltd,Ada,"12,000",USD,Proposal Made,Pipeline,Won,2026-01-02 09:00:00,2026-02-20 17:30:00,,,2026-02-28
    2,Beta,Beta GmbH,Bo,5000,USD,Demo Scheduled,Pipeline,Lost,2026-01-10 10:00:00,,2026-02-01 09:00:00,Price,2026-03-15
    3,Gamma,Gamma AG,Bo,7000,USD,Demo Scheduled,Pipeline,Open,2026-02-01 10:00:00,,,,2026-04-15
    ''')
PIPEDRIVE_LOG = ("deal-changes.csv", '''
    Deal ID,Deal title,Update time,Field,Old value,New value,User
    1,Acme,2026-01-15 10:00:00,Stage,Lead In,Demo Scheduled,Ada
    1,Acme,2026-02-01 10:00:00,Stage,Demo Scheduled,Proposal Made,Ada
    1,Acme,2026-02-02 10:00:00,Value,"10,000","12,000",Ada
    1,Acme,2026-02-20 17:30:00,Status,open,won,Ada
    2,Beta,2026-01-20 10:00:00,Stage,Lead In,Demo Scheduled,Bo
    2,Beta,2026-02-01 09:00:00,Status,open,lost,Bo
    3,Gamma,2026-02-10 09:00:00,Expected close date,2026-03-15,2026-04-15,Bo
    3,Gamma,2026-02-11 09:00:00,Label,,Hot,Bo
    ''')
ZOHO_DEALS = ("zoho.csv", '''
    Record Id;Deal Name;Account Name;Deal Owner;Stage;Amount;Closing Date;Created Time;Probability (%);Type;Reason For Loss
    zcrm_1;Alpha;Alpha SE;Eva Stein;Closed Won;"1.234,56 €";31.03.2026;05.01.2026 09:30;100;New Business;
    zcrm_2;Beta;Beta AG;Eva Stein;Negotiation/Review;"12.000 €";15.05.2026;07.02.2026 14:00;75;Existing Business;
    zcrm_3;Gamma;Gamma KG;Jan Roth;Closed-Lost to Competition;"500,5 €";01.03.2026;06.01.2026 10:00;0;New Business;Preis
    zcrm_4;Delta;Delta KG;Jan Roth;Qualification;"(300,00 €)";09.06.2026;03.03.2026 10:00;10;New Business;
    ''')
DYNAMICS = ("opportunities.csv", '''
    (Do Not Modify) Opportunity,(Do Not Modify) Row Checksum,(Do Not Modify) Modified On,Topic,Potential Customer,Owner,Status,Status Reason,Sales Stage,Est. revenue,Actual Revenue,Est. close date,Actual Close Date,Created On,Currency,Probability,Forecast category
    a1-01,x,3/31/2026 5:00 PM,Acme deal,Acme,Ada Low,Won,Won,3-Propose,"$10,000.00","$11,000.00",3/31/2026,3/30/2026,1/5/2026 9:00 AM,US Dollar,100,Won
    a1-02,x,2/14/2026 5:00 PM,Beta deal,Beta,Bo Fry,Lost,Out-Sold,2-Develop,"$5,000.00",,4/15/2026,2/14/2026,1/7/2026 9:00 AM,US Dollar,0,Lost
    a1-03,x,3/1/2026 5:00 PM,Gamma deal,Gamma,Bo Fry,Open,In Progress,1-Qualify,"$7,500.00",,5/20/2026,,2/2/2026 9:00 AM,US Dollar,20,Pipeline
    ''')
DYNAMICS_GOALS = ("goals.csv", '''
    (Do Not Modify) Goal,Name,Parent Goal,Goal Metric,Goal Owner,Target,From,To,Fiscal Period,Fiscal Year
    g1,Team Q1,,Revenue,Cara Boss,"$150,000.00",1/1/2026,3/31/2026,Quarter 1,FY2026
    g2,Ada Q1,Team Q1,Revenue,Ada Low,"$100,000.00",1/1/2026,3/31/2026,Quarter 1,FY2026
    g3,Bo Q1,Team Q1,Revenue,Bo Fry,"$50,000.00",1/1/2026,3/31/2026,Quarter 1,FY2026
    ''')
SALESFORCE_REPORT = ("report.csv", '''
    Opportunity ID,Opportunity Name,Account Name,Opportunity Owner,Stage,Amount,Close Date,Created Date,Type,Forecast Category,Probability (%),Loss Reason,Closed,Won
    0061x00000AbCdE,Acme,Acme Inc,Ada,Payment Done,"USD 1,500.00",3/31/2026,1/15/2026,New Business,Closed,100,,1,1
    0061x00000AbCdF,Beta,Beta Inc,Bo,Close plan review,"USD 2,500.00",5/31/2026,2/1/2026,Existing Business,Best Case,60,,0,0
    0061x00000AbCdG,Gamma,Gamma Inc,Bo,Loss,"USD 900.00",2/13/2026,1/20/2026,New Business,Omitted,0,Price,1,0
    0061x00000AbCdG,Gamma,Gamma Inc,Bo,Loss,"USD 900.00",2/13/2026,1/20/2026,New Business,Omitted,0,Price,1,0
    0061x00000AbCdH,Delta,Delta Inc,Bo,Prospecting,"USD 1x",2/13/2026,1/20/2026,New Business,Pipeline,10,,0,0
    ''')
SALESFORCE_FIELD_HISTORY = ("OpportunityFieldHistory.csv", '''
    Id,OpportunityId,CreatedDate,Field,OldValue,NewValue
    1,0061x00000AbCdEAAV,2026-02-01T10:00:00.000+0000,StageName,Prospecting,Close plan review
    2,0061x00000AbCdEAAV,2026-02-03T10:00:00.000+0000,Amount,1000,1500
    3,0061x00000AbCdEAAV,2026-03-31T10:00:00.000+0000,StageName,Close plan review,Payment Done
    4,0061x00000AbCdEAAV,2026-03-31T10:00:00.000+0000,CloseDate,2026-04-30,2026-03-31
    ''')

LEADS_ISO = ("leads-iso.csv", """
    Lead ID,Email,Company / Account,Lead Status,Lead Source,Lead Owner,Created Date,MQL Date,SQL Date,Disqualified Date,Disqualified Reason,Country
    L1,a@x.example,Acme,Qualified,Web,Ada,2026-01-05,2026-01-06,2026-01-20,,,US
    L2,b@x.example,Beta,Unqualified,Web,Bo,2026-01-07,2026-01-09,,2026-01-30,No budget,US
    """)
LEADS_US = ("leads-us.csv", """
    Lead ID,Email,Company,Lead Status,Lead Source,Lead Owner,Created Date,MQL Date
    U1,c@x.example,Gamma,Working,Event,Ada,2/3/2026 9:05 AM,2/13/2026 5:00 PM
    U2,d@x.example,Delta,New,Event,Bo,3/1/2026 8:00 AM,
    """)
LEADS_EU = ("leads-eu.csv", """
    Record Id;Email;Company;Lead Status;Lead Source;Lead Owner;Created Time;MQL Date;Country
    E1;e@x.example;Epsilon;Contacted;Messe;Eva;03.02.2026 09:05;13.02.2026;DE
    E2;f@x.example;Zeta;Junk Lead;Messe;Eva;01.03.2026 08:00;;DE
    """)
LEADS_OPEN = ("leads-open.csv", """
    Lead ID,Email,Company,Lead Status,Lead Owner,Created Date,MQL Date
    O1,g@x.example,Eta,New,Ada,02/03/2026,02/04/2026
    O2,h@x.example,Theta,New,Ada,05/06/2026,
    """)
HUBSPOT_CONTACTS = ("contacts.csv", """
    Record ID,First Name,Email,Lifecycle Stage,Lead Status,Contact owner,Create Date,Became a Lead Date,Became a Marketing Qualified Lead Date,Became a Sales Qualified Lead Date,Became an Opportunity Date,Original Source,Associated Company,Associated Deal IDs
    51,Ann,ann@acme.example,Opportunity,Connected,Ada Low,2026-01-02 10:00,2026-01-02 10:00,2026-01-03 10:00,2026-01-04 10:00,2026-01-05 09:00,Paid Search,Acme,9001
    54,Ben,ben@delta.example,Lead,Unqualified,Bo Fry,2026-02-02 10:00,2026-02-02 10:00,,,,Organic Search,Delta,
    """)
SALESFORCE_LEADS = ("Lead.csv", """
    Id,LastName,Company,Email,Status,LeadSource,OwnerId,IsConverted,ConvertedDate,ConvertedOpportunityId,ConvertedContactId,CreatedDate,LastModifiedDate
    00Q1x00000AbCd1EAF,Low,Acme,a@acme.example,Closed - Converted,Web,0051x00000AbCd1AAB,true,2026-01-15,0061x00000AbCdEAAV,0031x00000AbCd1AAB,2026-01-10T10:00:00.000+0000,2026-01-15T12:00:00.000+0000
    00Q1x00000AbCd2EAF,Fry,Beta,b@beta.example,Nurturing,Web,00G1x00000AbCd1AAB,false,,,,2026-01-11T10:00:00.000+0000,2026-01-25T12:00:00.000+0000
    """)
SALESFORCE_LEAD_HISTORY = ("LeadHistory.csv", """
    Id,LeadId,CreatedDate,Field,OldValue,NewValue
    h1,00Q1x00000AbCd1EAF,2026-01-12T10:00:00.000+0000,Status,Open - Not Contacted,MQL
    h2,00Q1x00000AbCd1EAF,2026-01-13T10:00:00.000+0000,Owner,A,B
    h3,00Q1x00000AbCd1EAF,2026-01-15T10:00:00.000+0000,Status,MQL,Closed - Converted
    h4,00Q1x00000AbCd2EAF,2026-01-12T10:00:00.000+0000,Status,Open - Not Contacted,MQL
    h5,00Q1x00000AbCd2EAF,2026-01-25T10:00:00.000+0000,Status,MQL,Nurturing
    """)
SALESFORCE_OPPORTUNITIES = ("Opportunity.csv", """
    ID,NAME,STAGENAME,AMOUNT,CLOSEDATE,ISCLOSED,ISWON,CREATEDDATE,ISDELETED,OWNERID,ACCOUNTID
    0061x00000AbCdE,Acme,Discovery,1000,2026-04-30,false,false,2026-01-15T11:30:00.000Z,false,0051x00000AbCd1,0011x00000AbCd1
    0061x00000AbCdF,Old,Discovery,1000,2026-04-30,false,false,2026-01-15T11:30:00.000Z,true,0051x00000AbCd1,0011x00000AbCd1
    """)
SALESFORCE_MEMBERS = ("CampaignMember.csv", """
    Id,CampaignId,LeadId,ContactId,LeadOrContactId,Status,HasResponded,FirstRespondedDate,CreatedDate
    m1,701A,00Q1x00000AbCd1EAF,,00Q1x00000AbCd1EAF,Responded,true,2026-01-10,2026-01-10T10:15:00.000+0000
    m2,701A,00Q1x00000AbCd2EAF,,00Q1x00000AbCd2EAF,Sent,false,,2026-01-11T10:15:00.000+0000
    """)
SALESFORCE_TASKS = ("Task.csv", """
    Id,WhoId,WhatId,Subject,ActivityDate,Status,OwnerId,IsClosed,CreatedDate,TaskSubtype,CallType
    t1,00Q1x00000AbCd1EAF,,Call: intro,2026-01-12,Completed,0051x00000AbCd1AAB,true,2026-01-12T10:30:00.000+0000,Call,Outbound
    t2,00Q1x00000AbCd1EAF,0061x00000AbCdEAAV,Follow up,2026-02-12,Not Started,0051x00000AbCd1AAB,false,2026-01-12T10:30:00.000+0000,Task,
    """)
